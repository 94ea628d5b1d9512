import type { CoordinatorCommand } from '@shoal/coordinator/core';
import { ownPeer, understands } from '../../../libs/protocol/src/version.ts';
import type { ControlDown, ControlUp, DataDown, DataUp, Report } from '../messages.ts';
import { type Listener, listening, type Stream } from '../network.ts';
import { Violation } from '../violation.ts';
import type { World } from '../world.ts';
import type { CoordinatorCore } from './core.ts';
import type { Jobs } from './jobs.ts';
import { Session } from './session.ts';

type Command<Type extends CoordinatorCommand['type']> = Extract<CoordinatorCommand, { readonly type: Type }>;

/** The agents' side of the coordinator: their control and data streams. */
export class Sessions {
  /** Control streams come in here. */
  readonly control: Listener<ControlUp, ControlDown>;
  /** Data streams come in here. */
  readonly data: Listener<DataUp, DataDown>;
  readonly #core: CoordinatorCore;
  readonly #world: World;
  readonly #jobs: Jobs;
  readonly #sessions = new Map<number, Session>();
  #last = 0;

  constructor(core: CoordinatorCore, world: World, jobs: Jobs) {
    this.#core = core;
    this.#world = world;
    this.#jobs = jobs;
    this.control = listening(core.host, (stream) => {
      let session: Session | undefined;
      return {
        received: (message) => {
          if (message.kind === 'join') session = this.#join(message, stream);
          else if (session !== undefined && !session.isOver) this.#heard(session, message);
        },
        closed: () => session && this.#closed(session),
      };
    });
    this.data = listening(core.host, (stream) => {
      let session: Session | undefined;
      return {
        received: (message) => {
          if (message.kind === 'hello') {
            const found = this.find(message.session);
            if (found === undefined || message.epoch !== core.epoch || found.data !== undefined) {
              stream.closeFar();
              return;
            }
            session = found;
            found.data = stream;
            found.sendSoon();
          } else if (session !== undefined && !session.isOver) this.#dataReceived(session, message);
        },
        closed: () => session && this.#closed(session),
      };
    });
  }

  find(session: number): Session | undefined {
    return this.#sessions.get(session);
  }

  admit({ session: id, drop }: Command<'admitAgent'>): void {
    const session = this.find(id);
    if (session === undefined) return;
    const { epoch, machine } = this.#core;
    this.#world.oracle.drains.admitted(session.agent, session.instance);
    session.control.sendDown({
      kind: 'joined',
      session: session.id,
      epoch,
      ...machine.timing(),
      abandonMs: 60_000,
      drop,
    });
  }

  refuse({ session: id }: Command<'refuseAgent'>): void {
    const session = this.find(id);
    if (session === undefined) return;
    session.control.sendDown({ kind: 'refused', code: 'AGENT_NAME_TAKEN' }, 'strict');
    this.#forget(session);
  }

  answerHeartbeat({ session, sequence, drop }: Command<'answerHeartbeat'>): void {
    const { heartbeatMs, leaseMs } = this.#core.machine.timing();
    this.find(session)?.control.sendDown({ kind: 'heartbeatAnswer', sequence, drop, heartbeatMs, leaseMs });
  }

  revoke({ session, attempt }: Command<'revoke'>): void {
    this.find(session)?.control.sendDown({ kind: 'revoke', attempt });
  }

  recall({ session, attempt }: Command<'recall'>): void {
    this.find(session)?.control.sendDown({ kind: 'recall', attempt });
  }

  end({ session: id, reason, said }: Command<'endSession'>): void {
    const session = this.find(id);
    if (session === undefined) return;
    this.#world.oracle.leases.sessionEnded(id, reason);
    if (reason === 'brokeProtocol') throw new Violation('structure', `session ${id} lies: ${said}`, {});
    session.control.sendDown({ kind: 'sessionEnded', reason }, 'strict');
    this.#forget(session);
  }

  /** The process is gone: connections end. */
  crash(): void {
    for (const session of this.#sessions.values()) session.close();
  }

  restart(): void {
    this.#sessions.clear();
    this.#last = 0;
  }

  #join(
    join: Extract<ControlUp, { kind: 'join' }>,
    control: Stream<ControlUp, ControlDown>,
  ): Session | undefined {
    if (!understands(ownPeer, join.peer)) {
      control.sendDown({ kind: 'refused', code: 'VERSION_MISMATCH' }, 'strict');
      control.closeFar();
      return undefined;
    }
    this.#last += 1;
    const id = this.#last;
    const { agent, instance, slots, labels, keepsGroupSlots } = join;
    const session = new Session({ id, agent, instance }, control, this.#core.host);
    this.#sessions.set(id, session);
    const held = join.held.map(({ attempt, job, epoch }) => ({ attempt, job, epoch }));
    this.#world.oracle.leases.heardOf(id, agent);
    const joined = { session: id, agent, instance, slots, labels, keepsGroupSlots, held };
    this.#core.step({ type: 'joinReceived', ...joined });
    return session;
  }

  #heard(session: Session, message: ControlUp): void {
    switch (message.kind) {
      case 'heartbeat': {
        const stalledForMs = session.control.blockedForMs(this.#world.clock.nowMs);
        this.#world.oracle.leases.heardOf(session.id, session.agent, stalledForMs);
        this.#core.step({
          type: 'heartbeatListed',
          session: session.id,
          sequence: message.sequence,
          held: message.held,
          stalledForMs,
        });
        return;
      }
      case 'slotsChanged':
        this.#core.step({ type: 'slotsChanged', session: session.id, slots: message.slots });
        return;
      case 'draining':
        this.#world.oracle.drains.announced(session.agent);
        this.#core.step({ type: 'drainRequested', agent: session.agent });
        return;
      case 'leaving':
        session.isLeaving = true;
        this.#closed(session);
        return;
    }
  }

  #dataReceived(session: Session, message: DataUp): void {
    if (message.kind === 'end') {
      session.send();
      session.data?.sendDown({ kind: 'end' }, 'strict');
      return;
    }
    if (message.kind !== 'batch') return;
    for (const report of message.reports) this.#takeReport(session, report);
    if (!session.isOver) session.took(message.sequence);
  }

  #takeReport(session: Session, report: Report): void {
    const { attempt, news } = report;
    const { id } = session;
    switch (news.kind) {
      case 'run': {
        const bytes = session.wholeBytes(report);
        if (bytes === undefined) return;
        const { first, count, runMs } = news;
        this.#core.step(
          { type: 'itemsSucceeded', session: id, attempt, first, count, bytes: bytes.byteLength, runMs },
          { run: { first, count, bytes } },
        );
        return;
      }
      case 'failure': {
        const { tried, fact } = news;
        const { error, kind, retryable } = tried;
        const failure = { kind, retryable, attempt: fact, bytes: error.byteLength };
        this.#core.step({ type: 'itemFailed', session: id, attempt, index: tried.index, failure }, { tried });
        return;
      }
      case 'ended':
        session.dropParts(attempt);
        this.#core.step({ type: 'attemptEnded', session: id, attempt, ending: news.ending });
        return;
    }
  }

  #closed(session: Session): void {
    if (session.isOver) return;
    this.#forget(session);
    if (session.isLeaving) this.#world.oracle.drains.left(session.agent);
    this.#core.step({ type: 'sessionClosed', session: session.id, orderly: session.isLeaving });
  }

  #forget(session: Session): void {
    if (session.isOver) return;
    session.isOver = true;
    this.#world.oracle.leases.sessionClosed(session.id);
    this.#sessions.delete(session.id);
    this.#jobs.release(session);
    session.close();
  }
}
