import { performance } from 'node:perf_hooks';
import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { ShoalError } from '@shoal/errors';
import type {
  ControlRequest,
  ControlResponse,
  DataRequest,
  DataResponse,
  Join,
  Joined,
  SessionEndReason,
} from '@shoal/protocol';
import type { Connection } from './connection.ts';
import type { Log } from './log.ts';
import type { Outbox } from './outbox.ts';
import type { ShardRunner } from './shard-runner.ts';

/** What a {@link Session} works with. */
export interface SessionParts {
  readonly connection: Connection;
  readonly join: Join;
  readonly runner: ShardRunner;
  readonly outbox: Outbox;
  readonly log: Log;
  readonly onJoined: (joined: Joined) => void;
}

/** Why a session is over. */
export type SessionEnd =
  | { readonly kind: 'failed'; readonly error: ShoalError }
  | { readonly kind: 'ended'; readonly reason: SessionEndReason };

/** An answer to the join takes no longer than this, or the connection is given up. */
const joinMs = 15_000;
/** How long good-byes may take. */
const partingMs = 5_000;
/** A coordinator may stand still for a while and go on; one that is silent for longer has lost us. */
const silentMs = 20_000;

/**
 * One life of the agent's connection: a join, heartbeats, work in, news out. It ends when either stream does.
 *
 * Heartbeats have a stream of their own, so that they never wait behind results.
 */
export class Session {
  readonly #parts: SessionParts;
  readonly #control: ClientDuplexStream<ControlRequest, ControlResponse>;
  readonly over: Promise<SessionEnd>;
  #data: ClientDuplexStream<DataRequest, DataResponse> | undefined;
  #dataOpen = false;
  #dataEnded: () => void = () => {};
  #sending = false;
  #blocked = false;
  #joined: Joined | undefined;
  #heartbeats: NodeJS.Timeout | undefined;
  #joinTimer: NodeJS.Timeout;
  #sequence = 0;
  #answeredAtMs = 0;
  #abandoned = false;
  #resolve: (end: SessionEnd) => void = () => {};
  #isOver = false;

  /** Dials and joins. */
  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.over = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#joinTimer = setTimeout(() => this.#failed(this.#silence(joinMs)), joinMs);
    this.#control = parts.connection.agents.control();
    this.#control.on('data', (message: ControlResponse) => this.#told(message));
    this.#control.on('error', (error: ServiceError) => this.#failed(parts.connection.errorOf(error)));
    this.#control.on('end', () => this.#failed(this.#lost('the coordinator ended the session')));
    this.#tell({ $case: 'join', value: parts.join });
  }

  /** Whether the coordinator has taken the agent in, and the session lasts. */
  get open(): boolean {
    return this.#joined !== undefined && !this.#isOver;
  }

  /** When the coordinator answered last; undefined when it never has in this session. */
  get silentSinceMs(): number | undefined {
    return this.#joined === undefined ? undefined : this.#answeredAtMs;
  }

  /** There is news to send. News of one turn of the event loop share messages. */
  sendSoon(): void {
    if (this.#sending || !this.#dataOpen || this.#blocked) return;
    this.#sending = true;
    setImmediate(() => {
      this.#sending = false;
      this.#send();
    });
  }

  /** The agent takes nothing new. */
  draining(): void {
    if (this.open) this.#tell({ $case: 'draining', value: {} });
  }

  /** Sends what is left, says good-bye, and waits until the coordinator has heard it. */
  async leave(): Promise<void> {
    if (!this.open || this.#data === undefined) {
      this.cut();
      return;
    }
    // The answer to the end of results is the proof that all of them were taken.
    const taken = new Promise<void>((resolve) => {
      this.#dataEnded = resolve;
    });
    this.#send();
    this.#dataOpen = false;
    this.#data.end();
    const timeout = setTimeout(() => this.cut(), partingMs);
    await Promise.race([taken, this.over]);
    if (!this.#isOver) {
      this.#tell({ $case: 'leaving', value: {} });
      this.#control.end();
    }
    await this.over;
    clearTimeout(timeout);
  }

  /** Ends the session at once. */
  cut(): void {
    this.#finish({ kind: 'failed', error: this.#lost('the agent ended it') });
  }

  // -- control -------------------------------------------------------------------------------------------------

  #tell(message: NonNullable<ControlRequest['message']>): void {
    if (!this.#isOver) this.#control.write({ message });
  }

  #told({ message }: ControlResponse): void {
    const { runner, log } = this.#parts;
    if (this.#isOver) return;
    switch (message?.$case) {
      case 'joined':
        this.#began(message.value);
        return;
      case 'heartbeatAnswer': {
        const { drop, heartbeatMs } = message.value;
        this.#answeredAtMs = performance.now();
        if (this.#abandoned) log.info({ event: 'agent.answered' }, 'the coordinator answers again');
        this.#abandoned = false;
        runner.fence(false);
        for (const attempt of drop) runner.revoke(attempt);
        if (heartbeatMs > 0 && heartbeatMs !== this.#joined?.heartbeatMs) this.#beatEvery(heartbeatMs);
        return;
      }
      case 'revoke':
        runner.revoke(message.value.attempt);
        return;
      case 'drain':
        log.info({ event: 'agent.drained' }, 'an operator took this agent out of service');
        return;
      case 'resume':
        log.info({ event: 'agent.resumed' }, 'an operator put this agent back into service');
        return;
      case 'forgetGroups':
        this.#parts.runner.forgetGroups(message.value.groupIds);
        return;
      case 'sessionEnded':
        this.#finish({ kind: 'ended', reason: message.value.reason });
        return;
    }
  }

  #began(joined: Joined): void {
    const { runner, join } = this.#parts;
    if (joined.epoch < join.epochSeen) {
      const reason = `its epoch ${joined.epoch} is older than ${join.epochSeen}, which was seen before`;
      this.#failed(this.#lost(reason));
      return;
    }
    clearTimeout(this.#joinTimer);
    this.#joined = joined;
    this.#answeredAtMs = performance.now();
    runner.sessionBegan(joined.epoch, joined.drop);
    this.#openData(joined);
    this.#parts.onJoined(joined);
    this.#beatEvery(joined.heartbeatMs);
    this.#beat();
  }

  #beatEvery(heartbeatMs: number): void {
    clearInterval(this.#heartbeats);
    if (this.#joined !== undefined) this.#joined = { ...this.#joined, heartbeatMs };
    this.#heartbeats = setInterval(() => this.#beat(), heartbeatMs);
  }

  #beat(): void {
    const { runner, log } = this.#parts;
    const joined = this.#joined;
    if (joined === undefined) return;
    const silentForMs = performance.now() - this.#answeredAtMs;
    if (silentForMs > joined.selfFenceMs && !this.#abandoned) {
      this.#abandoned = true;
      log.warn(
        { event: 'agent.unanswered', silentForMs: Math.round(silentForMs) },
        'no answer from the coordinator; nothing new is started until there is one',
      );
      runner.fence(true);
    }
    if (silentForMs > Math.max(silentMs, 2 * joined.leaseMs)) {
      this.#failed(this.#silence(silentForMs));
      return;
    }
    this.#sequence += 1;
    const held = runner.held().map(({ attempt }) => attempt);
    this.#tell({ $case: 'heartbeat', value: { sequence: this.#sequence, held, stats: runner.stats() } });
  }

  // -- data ----------------------------------------------------------------------------------------------------

  #openData({ session, epoch }: Joined): void {
    const { connection, runner, outbox } = this.#parts;
    const data = connection.agents.data();
    this.#data = data;
    data.on('data', (message: DataResponse) => {
      if (this.#isOver) return;
      if (message.takenSequence > 0) outbox.taken(message.takenSequence);
      runner.take(message);
    });
    data.on('error', (error: ServiceError) => this.#failed(connection.errorOf(error)));
    data.on('end', () => {
      if (this.#dataOpen) this.#failed(this.#lost('the coordinator ended the data stream'));
      else this.#dataEnded();
    });
    data.on('drain', () => {
      this.#blocked = false;
      this.#send();
    });
    data.write({ hello: { session, epoch }, sequence: 0, reports: [], prints: [] });
    this.#dataOpen = true;
    this.#send();
  }

  #send(): void {
    const { outbox } = this.#parts;
    while (this.#dataOpen && !this.#blocked && !this.#isOver) {
      const batch = outbox.take();
      if (batch === undefined) return;
      this.#blocked = this.#data?.write(batch) === false;
    }
  }

  // -- end -----------------------------------------------------------------------------------------------------

  #failed(error: ShoalError): void {
    this.#finish({ kind: 'failed', error });
  }

  #finish(end: SessionEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#dataOpen = false;
    clearTimeout(this.#joinTimer);
    clearInterval(this.#heartbeats);
    // A cancelled call still reports its own end, to nobody.
    this.#control.on('error', () => {});
    this.#data?.on('error', () => {});
    this.#control.cancel();
    this.#data?.cancel();
    this.#resolve(end);
  }

  #lost(reason: string): ShoalError {
    return new ShoalError('CONNECTION_LOST', { address: this.#parts.connection.address, reason });
  }

  #silence(ms: number): ShoalError {
    return this.#lost(`no answer for ${Math.round(ms / 1000)} s`);
  }
}
