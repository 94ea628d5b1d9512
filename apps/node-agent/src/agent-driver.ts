/**
 * The driver around core/agent-machine.ts: connections, processes, clock, bytes. It decides nothing. What happens
 * becomes events; commands become messages, chunks, files and log lines. What an event brings is held in hand until the
 * commands of that step are done.
 */
import { bytesText, type ShoalError, timerMsMax } from '@shoal/errors';
import { type DataResponse, Encoding, type JobSetup, ownPeer } from '@shoal/protocol';
import type { AgentLog } from './agent-log.ts';
import type { SettledConfig } from './config.ts';
import type { AgentCommand, Join, KeepNews } from './core/agent-command.ts';
import type { AgentEvent, AgentMachine, LinkId } from './core/index.ts';
import { hostInfo } from './host-info.ts';
import { wireIsolations } from './isolation/child-isolation.ts';
import type { Link, LinkListener } from './link.ts';
import { returned, returnedFor } from './news/attempt-report.ts';
import type { News, NewsShelf } from './news/news-shelf.ts';
import type { PrintShelf } from './news/print-shelf.ts';
import type { SetupShelf } from './setup-shelf.ts';
import { type ShardRunner, unrunnable } from './shard-runner.ts';

/** What an {@link AgentDriver} works with. */
export interface AgentDriverParts {
  readonly machine: AgentMachine;
  readonly config: SettledConfig;
  readonly runner: ShardRunner;
  readonly setups: SetupShelf;
  readonly news: NewsShelf;
  readonly prints: PrintShelf;
  /** What keeps the agent from some of its work now. */
  readonly troubles: () => string[];
  readonly log: AgentLog;
  /** Opens a connection. */
  readonly dial: (listener: LinkListener) => Link;
  /** A session has begun. */
  readonly onJoined: () => void;
  /** The agent is over. With the error that no further try could help, if there was one. */
  readonly onEnd: (error: ShoalError | undefined) => void;
}

/** What an event is about. */
interface InHand {
  readonly news?: News | undefined;
  readonly setup?: JobSetup;
  readonly error?: ShoalError | undefined;
}

type WithoutTime<T> = T extends unknown ? Omit<T, 'atMs'> : never;

export class AgentDriver {
  readonly #parts: AgentDriverParts;
  readonly #queue: { readonly event: AgentEvent; readonly inHand: InHand }[] = [];
  #isStepping = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #link: Link | undefined;

  constructor(parts: AgentDriverParts) {
    this.#parts = parts;
  }

  /** The connection that is open, or was last. */
  get link(): Link | undefined {
    return this.#link;
  }

  /** Something has happened. What happens in the middle of a step waits for its end. */
  happened(event: WithoutTime<AgentEvent>, inHand: InHand = {}): void {
    this.#queue.push({ event: { ...event, atMs: performance.now() }, inHand });
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        for (const command of this.#parts.machine.step(next.event)) this.#execute(command, next.inHand);
      }
    } finally {
      this.#isStepping = false;
    }
    this.#setTimer();
  }

  #setTimer(): void {
    const deadline = this.#parts.machine.nextDeadlineMs();
    if (deadline === undefined) {
      clearTimeout(this.#timer);
      return;
    }
    // A timer that is too early only looks again.
    if (this.#timerAtMs <= deadline) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = deadline;
    this.#timer = setTimeout(
      () => {
        this.#timerAtMs = Number.POSITIVE_INFINITY;
        this.happened({ type: 'clockTicked' });
      },
      Math.max(1, Math.min(Math.ceil(deadline - performance.now()), timerMsMax)),
    );
  }

  // -- what the coordinator says ---------------------------------------------------------------------------------

  #listenerOf(link: LinkId): LinkListener {
    const { runner, log } = this.#parts;
    return {
      happened: (news, error) => this.happened({ ...news, link }, { error }),
      received: (message) => this.#received(link, message),
      groupsForgotten: (ids) => runner.forgetGroups(ids),
      serviceChanged: (inService) => log.serviceChanged(inService),
    };
  }

  /** What came on the data stream, field by field in its order. */
  #received(link: LinkId, message: DataResponse): void {
    const { setups } = this.#parts;
    const { takenSequence, dispatches, forgetBlocks, forgetJobIds } = message;
    if (takenSequence > 0) this.happened({ type: 'batchesTaken', link, sequence: takenSequence });
    for (const setup of message.setups) {
      this.happened({ type: 'jobAnnounced', link, job: setup.jobId }, { setup });
    }
    for (const { jobId: job, blocks } of message.blocks) {
      for (const block of blocks) {
        if (setups.addBlock(job, block)) this.happened({ type: 'jobGrown', link, job });
      }
    }
    for (const { jobId: job, ...dispatch } of dispatches) {
      this.happened({ type: 'attemptDispatched', link, job, ...dispatch });
    }
    setups.forgetBlocks(forgetBlocks);
    for (const job of forgetJobIds) {
      setups.close(job);
      this.happened({ type: 'jobForgotten', link, job });
    }
  }

  // -- commands --------------------------------------------------------------------------------------------------

  #execute(command: AgentCommand, inHand: InHand): void {
    const { runner, setups, news, prints, log } = this.#parts;
    switch (command.type) {
      case 'dial':
        this.#link?.cut();
        this.#link = this.#parts.dial(this.#listenerOf(command.link));
        return;
      case 'join':
        this.#join(command);
        return;
      case 'sendHeartbeat': {
        const { bytes: spooledBytes, isFull } = this.#parts.machine.snapshot().outbox;
        const troubles = [...this.#parts.troubles(), ...(isFull ? [spoolIsFull(spooledBytes)] : [])];
        this.#link?.heartbeat(command.sequence, command.held, { ...runner.stats(), troubles, spooledBytes });
        return;
      }
      case 'announceDrain':
        this.#link?.announceDrain();
        return;
      case 'openData':
        setups.close();
        this.#link?.openData(command.session, command.epoch);
        this.#parts.onJoined();
        return;
      case 'requestSend':
        this.#link?.requestSend();
        return;
      case 'sendBatch':
        this.#link?.send(news.message(command.sequence, command.pieces, prints.take()));
        return;
      case 'finishData':
        this.#link?.finishData();
        return;
      case 'leave':
        this.#link?.leave();
        return;
      case 'closeLink':
        this.#link?.cut();
        return;
      case 'prepareSetup':
        setups.prepare(command.setup, inHand.setup);
        return;
      case 'releaseSetup':
        setups.release(command.setup);
        return;
      case 'keepWork':
        setups.keepWork(command);
        return;
      case 'dropWork':
        setups.dropWork(command.setup, command.attempt);
        return;
      case 'startChunk':
        runner.start(command);
        return;
      case 'recallChunk':
        runner.recall(command.chunk);
        return;
      case 'abortChunk':
        runner.abort(command);
        return;
      case 'pauseChildren':
      case 'resumeChildren':
        runner.pause(command.type === 'pauseChildren');
        return;
      case 'holdStarts':
      case 'allowStarts':
        runner.holdStarts(command.type === 'holdStarts');
        return;
      case 'keepNews':
        this.#keepNews(command, inHand);
        return;
      case 'dropNews':
        news.drop(command.entries);
        return;
      case 'note':
        log.note(command.note, inHand.error);
        return;
      case 'end':
        this.#parts.onEnd(command.code === undefined ? undefined : inHand.error);
        return;
    }
  }

  #join({ instance, held, epochSeen }: Join): void {
    const { name, processes, labels, encodings, isolation } = this.#parts.config;
    this.#link?.join({
      agentName: name,
      instance,
      agent: ownPeer,
      slots: processes,
      labels,
      held: held.map(({ attempt, epoch, job, first, count }) => ({
        attempt,
        epoch,
        jobId: job,
        items: { first, count },
      })),
      epochSeen,
      encodings: encodings.map((encoding) => wireEncodings[encoding]),
      host: hostInfo(),
      isolation: wireIsolations[isolation.level],
      keepsGroupSlots: true,
    });
  }

  #keepNews({ entry, content, setup }: KeepNews, inHand: InHand): void {
    const { news, setups } = this.#parts;
    if (content === 'returned') {
      const lacking = setup === undefined ? undefined : setups.failureOf(setup);
      news.keep(entry, { ended: lacking === undefined ? returned : returnedFor(lacking) });
    } else if (content === 'setupFailure') {
      // The machine has heard of it as a failure for good: it was one by this very judgement.
      const failure = setup === undefined ? undefined : unrunnable(setups.failureOf(setup));
      news.keep(entry, { ended: failure ?? returned });
    } else if (inHand.news !== undefined) news.keep(entry, inHand.news);
  }
}

const wireEncodings = { v8: Encoding.V8, json: Encoding.JSON, bytes: Encoding.BYTES } as const;

const spoolIsFull = (bytes: number): string =>
  `the coordinator has yet to take ${bytesText(bytes)} of its results, and its processes wait meanwhile (--max-spool-bytes)`;
