import { ShoalError } from '@shoal/errors';
import {
  ChildPool,
  type ChildPoolStats,
  type ChunkEndingDetail,
  type ChunkListener,
  type ItemFailureReport,
  type Print,
  type ResultRun,
} from '@shoal/pool';
import {
  type AgentStats,
  type ChildStarts,
  ChildState,
  type Encoding,
  writeCatalogueError,
} from '@shoal/protocol';
import { chunkRequest, groupOfKey } from './child-request.ts';
import type { AbortChunk, StartChunk } from './core/agent-command.ts';
import type { ChunkId } from './core/agent-event.ts';
import type { WorkEvent } from './core/index.ts';
import type { Log } from './log.ts';
import { type Ended, thrownTry, timedOutTry, wireEnding, wirePrint, wireRun } from './news/attempt-report.ts';
import type { News } from './news/news-shelf.ts';
import type { PrintShelf } from './news/print-shelf.ts';
import { StrayPrints } from './news/stray-prints.ts';
import type { SetupShelf } from './setup-shelf.ts';

type WithoutTime<T> = T extends unknown ? Omit<T, 'atMs'> : never;
/** What the process pool has to tell. */
export type PoolNews = WithoutTime<WorkEvent>;

/** What a {@link ShardRunner} works with. */
export interface ShardRunnerParts {
  readonly agent: string;
  readonly processes: number;
  readonly setups: SetupShelf;
  readonly prints: PrintShelf;
  readonly log: Log;
  /** `inHand` is what the event is about. */
  readonly happened: (news: PoolNews, inHand?: News) => void;
}

interface RunningChunk {
  readonly job: string;
  /** Of its job's values. */
  readonly encoding: Encoding | undefined;
  /** Its end was asked for: what it still prints is nobody's. */
  isUnwanted: boolean;
}

/** Runs chunks in the one process pool, and reports facts: values, failures, endings. It decides nothing. */
export class ShardRunner implements ChunkListener {
  readonly #parts: ShardRunnerParts;
  readonly #pool: ChildPool;
  readonly #strays: StrayPrints;
  readonly #chunks = new Map<ChunkId, RunningChunk>();

  constructor(parts: ShardRunnerParts) {
    this.#parts = parts;
    this.#strays = new StrayPrints(parts.log);
    this.#pool = new ChildPool({ processes: parts.processes, listener: this });
  }

  start(command: StartChunk): void {
    const { chunk, attempt, setup, job, first, count } = command;
    const work = this.#parts.setups.takeWork(setup, attempt);
    try {
      if (work === undefined) {
        const reason = `items ${first} to ${first + count - 1} did not come`;
        throw new ShoalError('INTERNAL', { reason });
      }
      const { template, blocks, encoding } = work;
      this.#chunks.set(chunk, { job, encoding, isUnwanted: false });
      for (const print of this.#strays.take(groupOfKey(template.setup.key)))
        this.#parts.prints.add(job, print);
      this.#pool.run(chunkRequest(template, chunk, command, blocks));
    } catch (error) {
      this.#chunks.delete(chunk);
      const ended = unrunnable(error);
      this.#parts.happened(
        { type: 'chunkRefused', chunk, retryable: ended === undefined },
        ended && { ended },
      );
    }
  }

  abort({ chunk, graceMs }: AbortChunk): void {
    const running = this.#chunks.get(chunk);
    if (running !== undefined) running.isUnwanted = true;
    this.#pool.abort(chunk, graceMs);
  }

  /** What has not begun of it ends; it is wanted as before. */
  recall(chunk: ChunkId): void {
    this.#pool.recall(chunk);
  }

  /** Nothing new is given to a child, or things go on. */
  holdStarts(held: boolean): void {
    this.#pool.holdStarts(held);
  }

  /** The children wait with their results, or go on. */
  pause(paused: boolean): void {
    if (paused) this.#pool.pauseResults();
    else this.#pool.resumeResults();
  }

  /** Nobody can use the children of these groups any more, unless work came meanwhile: data may overtake control. */
  forgetGroups(ids: readonly string[]): void {
    const forgotten = new Set(ids.filter((id) => this.#parts.setups.newestOf(id) === undefined));
    this.#pool.release((key) => forgotten.has(groupOfKey(key)));
  }

  stats(): Omit<AgentStats, 'troubles' | 'spooledBytes'> {
    const { processes, recycled, deaths, starts, tallies } = this.#pool.stats();
    const keys = this.#pool.keys();
    return {
      processes: processes.map(({ pid, tasksRun, startedAt, rssBytes, state }) => ({
        pid,
        agent: '',
        tasksRun,
        startedUnixMs: startedAt.getTime(),
        rssBytes,
        state: childStates[state],
        groupId: groupOfKey(keys.get(pid) ?? ''),
      })),
      recycled,
      deaths,
      // One entry for each key; a group may have several.
      groupLosses: [...tallies].map(([key, tally]) => ({
        groupId: groupOfKey(key),
        ...tally,
        starts: wireStarts(tally.starts),
      })),
      starts: wireStarts(starts),
    };
  }

  /** Ends every child. */
  close(): Promise<void> {
    return this.#pool.terminate();
  }

  // -- what the pool reports -----------------------------------------------------------------------------------

  results(chunk: ChunkId, run: ResultRun): void {
    const { first, count, bytes } = run;
    this.#parts.happened(
      { type: 'itemsSucceeded', chunk, first, count, bytes: bytes.byteLength },
      { run: wireRun(run) },
    );
  }

  itemFailed(chunk: ChunkId, failure: ItemFailureReport): void {
    this.#failed(chunk, thrownTry(failure));
  }

  ended(chunk: ChunkId, ending: Parameters<ChunkListener['ended']>[1], detail: ChunkEndingDetail): void {
    const encoding = this.#chunks.get(chunk)?.encoding;
    this.#chunks.delete(chunk);
    const timedOut = timedOutTry(ending, detail);
    if (timedOut !== undefined) this.#failed(chunk, timedOut);
    const ended = wireEnding(ending, detail, { agent: this.#parts.agent, encoding });
    this.#parts.happened({ type: 'chunkEnded', chunk }, { ended });
  }

  /** A child serves one group: what belongs to no item is shown to the client of whatever job that has here. */
  print(chunk: ChunkId | undefined, print: Print, key: string): void {
    const { prints, setups } = this.#parts;
    const running = chunk === undefined ? undefined : this.#chunks.get(chunk);
    const group = groupOfKey(key);
    const job = running === undefined || running.isUnwanted ? setups.newestOf(group) : running.job;
    if (job === undefined) this.#strays.add(group, wirePrint(print));
    else prints.add(job, wirePrint(print));
  }

  #failed(chunk: ChunkId, failure: ReturnType<typeof thrownTry>): void {
    const { index, error, summary, stderrTail } = failure;
    const bytes = error.byteLength + summary.length + stderrTail.length;
    this.#parts.happened({ type: 'itemFailed', chunk, index, bytes }, { failure });
  }
}

/** The verdict on a job that cannot be run at all; undefined for what may work later, or elsewhere. */
export function unrunnable(error: unknown): Ended | undefined {
  if (!(error instanceof ShoalError) || error.retryable) return undefined;
  return { ending: { $case: 'unrunnable', value: { error: writeCatalogueError(error) } } };
}

function wireStarts({ spawned, forked, notForked = '' }: ChildPoolStats['starts']): ChildStarts {
  return { spawned, forked, notForked: notForked.slice(0, reasonCharsMax) };
}

/** It travels with each heartbeat, and may end with what a module has said. */
const reasonCharsMax = 512;

const childStates = {
  starting: ChildState.STARTING,
  idle: ChildState.IDLE,
  busy: ChildState.BUSY,
  retiring: ChildState.RETIRING,
} as const;
