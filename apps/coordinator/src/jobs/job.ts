import {
  type CatalogueError,
  ChildSetup,
  type JobEnded,
  JobOptions,
  JobState,
  type Print,
} from '@shoal/protocol';
import type { JobId, Outcome, SessionId, SpeculationTally } from '@shoal/scheduler';
import type { AgentLink } from '../agents/agent-link.ts';
import type { JobView } from '../core/index.ts';
import type { StoredFailure, StoredRun } from '../payloads/payload.ts';
import type { ReaderCall } from './client-calls.ts';
import type { CheckedRequest } from './job-request.ts';
import type { PrintQueue } from './print-queue.ts';

/** What the coordinator keeps of a job's outcomes. */
export type StoredOutcome = Outcome<StoredRun, StoredFailure>;

/**
 * One `map` call, as far as it is more than decisions: what was asked for, what was printed, who watches.
 *
 * How far it is and who is bound to it is written in its `view`, by the core.
 */
export class Job {
  readonly id: JobId;
  /** Counted from 1, in the order in which they were created. */
  readonly number: number;
  readonly view: JobView;
  readonly createdUnixMs: number;
  /** Set once, when the job is over. */
  end: JobEnded | undefined;
  endedUnixMs: number = 0;
  /** Tries beyond the first, of all its items together. */
  retried: number = 0;
  /** What second attempts came to, once it is over. */
  speculation: SpeculationTally | undefined;
  /** SHA-256 of the constants that its items refer to. */
  readonly constants: Set<string> = new Set();
  /** Why no item can run, as an agent reported it; told when the job ends for it. */
  unrunnable: CatalogueError | undefined;
  /** Sessions that were told of this job. */
  readonly holders: Set<AgentLink> = new Set();
  /** What each session lacks that could not start any of it the last time that it was given some, in words. */
  readonly lacking: Map<SessionId, string> = new Map();
  /** Names of the agents that were given work of it: their prints are told, whatever their session is by then. */
  readonly agents: Set<string> = new Set();
  /** What was printed and not yet read: from before its reader came, or while that reads slowly. */
  readonly prints: PrintQueue;
  reader: ReaderCall | undefined;
  #isReadOut = false;
  #request: CheckedRequest;
  readonly #watchers = new Set<() => void>();

  constructor(id: JobId, number: number, request: CheckedRequest, view: JobView, prints: PrintQueue) {
    this.id = id;
    this.number = number;
    this.#request = request;
    this.view = view;
    this.prints = prints;
    this.createdUnixMs = Date.now();
  }

  /** What was asked for; of an emptied job what is shown of it. */
  get request(): CheckedRequest {
    return this.#request;
  }

  /** Keeps nothing but what is shown of it. */
  empty(): void {
    const { options, setup, task, ...rest } = this.#request;
    this.#request = {
      ...rest,
      task: { name: task.name },
      options: JobOptions.fromPartial({ group: options.group, totalItems: options.totalItems }),
      setup: ChildSetup.fromPartial({}),
      bundles: [],
    };
    this.constants.clear();
  }

  /** Hears of the job's end. Returns how to stop listening. */
  watch(onEnd: () => void): () => void {
    this.#watchers.add(onEnd);
    return () => void this.#watchers.delete(onEnd);
  }

  print(print: Print): void {
    this.prints.add(print);
    this.reader?.printed();
  }

  /** Whether somebody reads what is printed, or may still come to do so. */
  get hearsPrints(): boolean {
    // Whoever cancels a job and leaves does not come back for it.
    const isGivenUp = this.end?.state === JobState.CANCELLED && this.reader === undefined;
    return !this.#isReadOut && !isGivenUp;
  }

  /** Its reader was told of the end: nothing more can be told to it. */
  readOut(): void {
    this.#isReadOut = true;
    this.prints.clear();
  }

  finish(end: JobEnded): void {
    this.end = end;
    this.endedUnixMs = Date.now();
    for (const watcher of this.#watchers) watcher();
  }
}
