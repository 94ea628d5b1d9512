/**
 * The driver around core/pool-machine.ts: processes, clock, bytes. It decides nothing. News of children become events;
 * commands become spawns, frames, kills and calls of the listener. The bytes of an event are held in hand until the
 * commands of that step are done.
 */
import { ShoalError, timerMsMax } from '@shoal/errors';
import type { PrintMessage } from '../child/message.ts';
import type { ChildExit, ChunkId } from '../core/chunk.ts';
import type { EndChunk, PoolCommand, SpawnChild } from '../core/pool-command.ts';
import type { PoolEvent } from '../core/pool-event.ts';
import type { PoolMachineLimits } from '../core/pool-limits.ts';
import { PoolMachine } from '../core/pool-machine.ts';
import { frameType } from '../frames.ts';
import type { ProcessStats } from '../job-backend.ts';
import { ChoosingLauncher } from '../launchers/choosing.ts';
import { IsolatingLauncher } from '../launchers/isolated.ts';
import type { Launcher, StartCounts } from '../launchers/launcher.ts';
import { ChildCrew } from './child-crew.ts';
import { type InHand, newsOf } from './child-news.ts';
import type { ChildListener, ChildProcess } from './child-process.ts';
import type {
  ChildSetup,
  ChunkEndingDetail,
  ChunkListener,
  ChunkRequest,
  Encoding,
} from './chunk-request.ts';
import { ChunkTraces } from './chunk-trace.ts';
import { endingDetail } from './ending-detail.ts';
import { keyTraitsOf } from './key-traits.ts';
import { readPrint } from './received-message.ts';
import { kindOf } from './task-kind.ts';

/** What a {@link ChildPool} is made of. */
export interface ChildPoolOptions {
  /** Children that run tasks at once, at most. */
  readonly processes: number;
  /** Whom to tell of results, failures, endings and prints. */
  readonly listener: ChunkListener;
  /** Chunks handed in and not ended, at most. Default 10,000; more is LIMIT_REACHED. */
  readonly maxQueuedChunks?: number;
  /** How long children may take for what, and how often they may fail. Default: as in core/pool-limits.ts. */
  readonly limits?: Partial<PoolMachineLimits>;
  /** How children are started. Default: as their setups say. */
  readonly launcher?: Launcher;
}

/** What became of the children of one key. */
export interface KeyTally {
  readonly recycled: number;
  readonly deaths: number;
  readonly starts: StartCounts;
}

/** A snapshot of a {@link ChildPool}. */
export interface ChildPoolStats {
  /** At most `processes` of them; warm spares and children on their way out are not listed. */
  readonly processes: readonly ProcessStats[];
  /** Children replaced as planned. */
  readonly recycled: number;
  /** Children that died outside our will, or were killed because they said nothing at their start. */
  readonly deaths: number;
  /** `recycled`, `deaths` and `starts` by key, but for keys whose children were released. */
  readonly tallies: ReadonlyMap<string, KeyTally>;
  /** How its children were started. */
  readonly starts: StartCounts;
  /** Items handed in that no child has been given. */
  readonly queuedItems: number;
  /** Items given to a child and not reported. */
  readonly runningItems: number;
  /** Chunks handed in that have not ended. */
  readonly chunks: number;
}

/**
 * The one process pool of this repository: it runs chunks in child processes, recycles the children, and reports
 * facts. It retries nothing and blames nobody; that is the scheduler's business.
 */
export class ChildPool {
  readonly #machine: PoolMachine;
  readonly #listener: ChunkListener;
  readonly #crew: ChildCrew;
  readonly #launcher: IsolatingLauncher;
  readonly #maxQueuedChunks: number;
  readonly #requests = new Map<ChunkId, ChunkRequest>();
  readonly #traces = new ChunkTraces();
  /** Of children that there are or were, but for keys that were released. */
  readonly #startedKeys = new Set<string>();
  readonly #events: { readonly event: PoolEvent; readonly inHand: InHand }[] = [];
  #isStepping = false;
  #timer: NodeJS.Timeout | undefined;
  #tick: NodeJS.Immediate | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  /** What children that are started without work are like. */
  #warmSetup: ChildSetup | undefined;
  #isClosed = false;
  #whenEmpty: (() => void)[] = [];

  constructor(options: ChildPoolOptions) {
    this.#machine = new PoolMachine(options.processes, options.limits);
    this.#listener = options.listener;
    this.#launcher = new IsolatingLauncher(options.launcher ?? new ChoosingLauncher());
    this.#crew = new ChildCrew(this.#launcher, this.#childListener);
    this.#maxQueuedChunks = options.maxQueuedChunks ?? 10_000;
  }

  /** Run a chunk. Throws POOL_CLOSED after `close()` and LIMIT_REACHED over `maxQueuedChunks`. */
  run(request: ChunkRequest): void {
    if (this.#isClosed) throw new ShoalError('POOL_CLOSED');
    if (this.#requests.size >= this.#maxQueuedChunks) {
      throw new ShoalError('LIMIT_REACHED', {
        what: 'Chunks in a pool',
        value: this.#requests.size + 1,
        limit: this.#maxQueuedChunks,
        option: 'maxQueuedChunks',
      });
    }
    const { id, setup, timeoutMs, maxTasksPerChild, group } = request;
    const { kind } = kindOf(request.task);
    this.#requests.set(id, request);
    this.#traces.queued(request);
    this.#keepAlive(true);
    this.#step({
      type: 'chunkQueued',
      atMs: performance.now(),
      chunk: id,
      key: setup.key,
      task: `${request.job} ${request.task.name}`,
      ...(kind === undefined ? {} : { kind: `${setup.key} ${kind}` }),
      first: request.first,
      count: request.count,
      marksStarts: marksStarts(request),
      ...(request.runsOnce === undefined ? {} : { runsOnce: request.runsOnce }),
      concurrentTasks: request.concurrentTasksPerChild ?? 1,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(maxTasksPerChild === undefined ? {} : { maxTasksPerChild }),
      ...keyTraitsOf(setup),
      ...(group === undefined ? {} : { group }),
    });
  }

  /**
   * End a chunk early. Its running items get their AbortSignal, and SIGKILL after `graceMs` (default 2,000).
   * Nothing more is reported of it but its ending. An unknown chunk is ignored: it may just have ended.
   */
  abort(id: ChunkId, graceMs: number = 2_000): void {
    this.#step({ type: 'abortRequested', atMs: performance.now(), chunk: id, graceMs });
  }

  /**
   * Take back what has not begun of a chunk, for somebody else waits for its process. What runs may finish and is reported; with
   * anything left it ends as `aborted`. An unknown chunk is ignored: it may just have ended.
   */
  recall(id: ChunkId): void {
    this.#step({ type: 'recallRequested', atMs: performance.now(), chunk: id });
  }

  /** Use this many processes from now on; those too many leave when their chunk is done. */
  resize(processes: number): void {
    this.#step({ type: 'resized', atMs: performance.now(), processes });
  }

  /** Give nothing to a child until this is called with false; what children have they finish. */
  holdStarts(held: boolean): void {
    this.#step({ type: 'startsHeld', atMs: performance.now(), held });
  }

  /**
   * Have `count` children of a setup from now on, with and without work, as far as `processes` allows; whoever dies or
   * leaves is replaced. Another call takes the place of this one. Does nothing after `close()`.
   */
  warm(setup: ChildSetup, count: number): void {
    if (this.#isClosed) return;
    this.#warmSetup = setup;
    this.#step({
      type: 'warmRequested',
      atMs: performance.now(),
      key: setup.key,
      count,
      ...keyTraitsOf(setup),
    });
  }

  /** Children of these keys are not needed any more: those that have nothing to run leave. */
  release(isUnwanted: (key: string) => boolean): void {
    // Whoever has lost a child had one.
    const keys = new Set([...this.#startedKeys].filter(isUnwanted));
    if (keys.size === 0) return;
    this.#step({ type: 'keysReleased', atMs: performance.now(), keys });
    const used = this.#crew.usedKeys();
    for (const { setup } of this.#requests.values()) used.add(setup.key);
    for (const key of keys) {
      if (used.has(key)) continue;
      this.#startedKeys.delete(key);
      this.#launcher.forget?.(key);
    }
  }

  /** Nobody can refer to this constant any more: children that have it let it go. */
  forgetBroadcast(sha256: string): void {
    this.#crew.forgetBroadcast(sha256);
  }

  /** The key that each child serves, by the child's pid. */
  keys(): ReadonlyMap<number, string> {
    return this.#crew.keys();
  }

  /** Take no more results from the children until {@link resumeResults}: they wait when their pipe is full. */
  pauseResults(): void {
    this.#step({ type: 'newsHeld', atMs: performance.now(), held: true });
    this.#crew.pause(true);
  }

  resumeResults(): void {
    this.#step({ type: 'newsHeld', atMs: performance.now(), held: false });
    this.#crew.pause(false);
  }

  stats(): ChildPoolStats {
    const { children, ...counts } = this.#machine.snapshot();
    const processes: ProcessStats[] = [];
    for (const { child: id, state, tasksRun, isSpare } of children) {
      const child = this.#crew.get(id);
      if (child?.pid === undefined || isSpare || state === 'retiring') continue;
      const { pid, startedAt, rssBytes } = child;
      processes.push({ pid, tasksRun, startedAt, rssBytes, state });
    }
    const tallies = new Map(
      [...this.#startedKeys].map((key) => {
        const gone = counts.tallies.get(key) ?? { recycled: 0, deaths: 0 };
        return [key, { ...gone, starts: this.#launcher.counts(key) }];
      }),
    );
    return { processes, ...counts, tallies, starts: this.#launcher.counts() };
  }

  /** Take nothing new, run what was handed in; resolves when every child is gone. */
  close(): Promise<void> {
    return this.#leave('closeRequested');
  }

  /** Kill every child; what had not ended ends as `aborted`. Resolves when every child is gone. */
  terminate(): Promise<void> {
    const left = this.#leave('terminateRequested');
    this.#launcher.endAll();
    return left;
  }

  #leave(type: 'closeRequested' | 'terminateRequested'): Promise<void> {
    this.#isClosed = true;
    this.#keepAlive(true);
    // Whoever leaves reads what is left: a paused child could not say good-bye.
    this.resumeResults();
    return new Promise((resolve) => {
      this.#whenEmpty.push(resolve);
      this.#step({ type, atMs: performance.now() });
    });
  }

  // -- events ----------------------------------------------------------------------------------------------------

  /** Listeners may call us back in the middle of a step; their events wait for its end. */
  #step(event: PoolEvent, inHand?: InHand): void {
    this.#events.push({ event, inHand });
    if (this.#isStepping) return;
    this.#isStepping = true;
    // All but values can make a deadline earlier.
    let mayBeDueEarlier = false;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        mayBeDueEarlier ||= next.event.type !== 'itemsSucceeded';
        for (const command of this.#machine.step(next.event)) this.#execute(command, next.inHand);
        if (next.event.type === 'childExited') this.#crew.forget(next.event.child);
      }
    } finally {
      this.#isStepping = false;
    }
    if (mayBeDueEarlier) this.#setTimer();
    if (this.#isIdle) this.#keepAlive(false);
    if (this.#isClosed && this.#machine.isEmpty) {
      clearTimeout(this.#timer);
      clearImmediate(this.#tick);
      const resolved = this.#whenEmpty.splice(0);
      void Promise.resolve(this.#launcher.close?.()).then(() => {
        for (const resolve of resolved) resolve();
      });
    }
  }

  get #isIdle(): boolean {
    return this.#requests.size === 0 && !this.#isClosed;
  }

  /** Neither idle children nor what they may take time for: a child that starts without work has a deadline too. */
  #keepAlive(isKept: boolean): void {
    this.#crew.keepAlive(isKept);
    if (isKept) this.#timer?.ref();
    else this.#timer?.unref();
  }

  #setTimer(): void {
    const deadline = this.#machine.nextDeadlineMs();
    // A timer that is too early only looks again.
    if (deadline === undefined || this.#timerAtMs <= deadline) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = deadline;
    this.#timer = setTimeout(
      () => {
        // What came while we had no turn is read first, or an item would be judged by what nobody has heard of it.
        clearImmediate(this.#tick);
        this.#tick = setImmediate(() => {
          this.#timerAtMs = Number.POSITIVE_INFINITY;
          this.#step({ type: 'clockTicked', atMs: performance.now() });
        });
      },
      Math.max(1, Math.min(Math.ceil(deadline - performance.now()), timerMsMax)),
    );
    if (this.#isIdle) this.#timer.unref();
  }

  readonly #childListener: ChildListener = {
    frame: (child, type, body) => this.#frame(child, type, body),
    broken: ({ id }) => this.#step({ type: 'channelBroken', atMs: performance.now(), child: id }),
    lost: ({ id }) => this.#step({ type: 'channelLost', atMs: performance.now(), child: id }),
    print: (child, print) => this.#print(child, print),
    exited: (child, exit) => this.#exited(child, exit),
  };

  #frame(child: ChildProcess, type: number, body: Buffer): void {
    if (type === frameType.print) {
      this.#print(child, readPrint(body));
      return;
    }
    const news = newsOf(child, type, body, this.#listener, this.#traces, this.#encodingOf);
    if (news !== undefined) this.#step(news.event, news.inHand);
  }

  readonly #encodingOf = (chunk: ChunkId): Encoding | undefined => this.#requests.get(chunk)?.encoding;

  #print(child: ChildProcess, { stream, text, chunk, index, task }: PrintMessage): void {
    if (stream === 'stderr' && chunk !== undefined) child.noteStderr(text);
    const id = chunk !== undefined && this.#requests.has(chunk) ? chunk : undefined;
    this.#listener.print(id, { stream, text, index, task, pid: child.pid ?? 0 }, child.key);
  }

  #exited(child: ChildProcess, exit: ChildExit): void {
    child.exit = exit;
    this.#step({ type: 'childExited', atMs: performance.now(), child: child.id, exit });
  }

  // -- commands --------------------------------------------------------------------------------------------------

  #execute(command: PoolCommand, inHand: InHand): void {
    switch (command.type) {
      case 'acceptValues':
      case 'acceptFailure':
        if (typeof inHand === 'function') inHand();
        return;
      case 'spawnChild':
        this.#spawn(command);
        return;
      case 'runPart': {
        const request = this.#requestOf(command.chunk);
        this.#traces.given(command.chunk);
        this.#crew.run(command.child, request, command, marksStarts(request));
        return;
      }
      case 'endChunk':
        this.#endChunk(command, typeof inHand === 'object' ? inHand : undefined);
        return;
      case 'abortPart': {
        const { type: _, child, ...message } = command;
        this.#crew.get(child)?.orders.abort(message);
        return;
      }
      case 'stopChild':
        this.#crew.get(command.child)?.orders.stop();
        return;
      case 'retireChild':
        this.#crew.get(command.child)?.orders.retire();
        return;
      case 'killChild':
        this.#crew.get(command.child)?.kill();
        return;
    }
  }

  #spawn({ child, chunk }: SpawnChild): void {
    const request = chunk === undefined ? undefined : this.#requestOf(chunk);
    const setup = request?.setup ?? this.#warmSetup;
    if (setup === undefined) throw new Error(`Child ${child} has neither work nor a setup.`);
    this.#startedKeys.add(setup.key);
    this.#crew.spawn(child, setup, request);
  }

  #requestOf(chunk: ChunkId): ChunkRequest {
    const request = this.#requests.get(chunk);
    if (request === undefined) throw new Error(`Chunk ${chunk} is not known.`);
    return request;
  }

  #endChunk({ chunk, ending, child: id, why }: EndChunk, inHand: ChunkEndingDetail | undefined): void {
    const child = id === undefined ? undefined : this.#crew.get(id);
    const request = this.#requests.get(chunk);
    this.#requests.delete(chunk);
    this.#traces.ended(chunk, ending);
    const detail = why === 'unloadable' ? inHand : endingDetail(why, child, request);
    const tail = child === undefined || child.stderrTail === '' ? {} : { stderrTail: child.stderrTail };
    this.#listener.ended(chunk, ending, { ...tail, ...detail });
  }
}

/**
 * Where the blame must be exact: on demand, with a timeout, and with several items at once, where otherwise everything
 * that is not reported would be suspect.
 */
function marksStarts(request: ChunkRequest): boolean {
  return request.marksStarts || request.timeoutMs !== undefined || (request.concurrentTasksPerChild ?? 1) > 1;
}
