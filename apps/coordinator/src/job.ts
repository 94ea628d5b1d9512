import { type CatalogueError, type ItemFailure, type JobEnded, JobState, type Print } from '@shoal/protocol';
import type { ItemBlock, JobId, Outcome, ResultBytes, SpeculationTally } from '@shoal/scheduler';
import type { AgentLink } from './driver.ts';
import type { CheckedRequest } from './job-request.ts';
import { PrintQueue } from './print-queue.ts';

/** Items, and the SHA-256 of the constants that they refer to. */
export interface StoredBlock extends ItemBlock {
  readonly broadcasts?: readonly string[];
}

/** Values of consecutive items with what is told of them besides. */
export interface StoredRun extends ResultBytes {
  readonly runMs: number;
  readonly pid: number;
  readonly agent: string;
}

/** What the coordinator keeps of a job's outcomes. */
export type StoredOutcome = Outcome<StoredRun, ItemFailure>;

/** Who reads a job's outcomes. Calls are synchronous, come in order and must not throw. */
export interface JobReader {
  /** The next outcomes, in the order of delivery. */
  outcomes(outcomes: readonly StoredOutcome[]): void;
  /** The producer may push until the job has so many items in all. */
  granted(upTo: number): void;
  /** Prints wait in the job's queue. */
  printed(): void;
  /** The job is over; what was delivered before is read on. */
  ended(ended: JobEnded): void;
  /** Another reader took its place. */
  replaced(): void;
}

/** Who writes a job's items. */
export interface JobWriter {
  granted(upTo: number): void;
  /** The job takes no more items. */
  ended(): void;
  /** Another writer took its place. */
  replaced(): void;
}

/** One `map` call, as the coordinator knows it: what was asked for, how far it is, who is connected to it. */
export class Job {
  readonly id: JobId;
  readonly request: CheckedRequest;
  readonly createdUnixMs: number;
  /** Items accepted; the next block begins here. */
  pushed: number = 0;
  inputEnded: boolean = false;
  /** SHA-256 of the constants that its items refer to. */
  readonly constants: Set<string> = new Set();
  /** How far the producer may push. Rises only. */
  grantedUpTo: number = 0;
  succeeded: number = 0;
  failed: number = 0;
  /** Outcomes handed over, in order. */
  delivered: number = 0;
  acknowledged: number = 0;
  /** Set once, when the job is over. */
  end: JobEnded | undefined;
  endedUnixMs: number = 0;
  /** What second attempts came to, once it is over. */
  speculation: SpeculationTally | undefined;
  /** Why no item can run, as an agent reported it; told when the job ends for it. */
  unrunnable: CatalogueError | undefined;
  /** Sessions that were told of this job. */
  readonly holders: Set<AgentLink> = new Set();
  /** What was printed and not yet read: from before its reader came, or while that reads slowly. */
  readonly prints: PrintQueue = new PrintQueue();
  #isReadOut = false;
  reader: JobReader | undefined;
  writer: JobWriter | undefined;
  readonly #watchers = new Set<() => void>();
  #streams = 0;
  readonly #onAlone: (alone: boolean) => void;

  /** `onAlone` hears when the last stream of a client goes, and when one comes. */
  constructor(id: JobId, request: CheckedRequest, onAlone: (job: Job, alone: boolean) => void) {
    this.id = id;
    this.request = request;
    this.createdUnixMs = Date.now();
    this.#onAlone = (alone) => onAlone(this, alone);
  }

  /** A client holds a stream of this job until the returned function is called. */
  presence(): () => void {
    this.#streams += 1;
    if (this.#streams === 1) this.#onAlone(false);
    let here = true;
    return () => {
      if (!here) return;
      here = false;
      this.#streams -= 1;
      if (this.#streams === 0) this.#onAlone(true);
    };
  }

  /** Takes the one reader's place; the earlier one is told. */
  readBy(reader: JobReader): void {
    this.reader?.replaced();
    this.reader = reader;
  }

  /** Takes the one writer's place; the earlier one is told. */
  writtenBy(writer: JobWriter): void {
    this.writer?.replaced();
    this.writer = writer;
  }

  /** Hears of the job's end. Returns how to stop listening. */
  watch(onEnd: () => void): () => void {
    this.#watchers.add(onEnd);
    return () => void this.#watchers.delete(onEnd);
  }

  grant(upTo: number): void {
    if (upTo <= this.grantedUpTo) return;
    this.grantedUpTo = upTo;
    this.reader?.granted(upTo);
    this.writer?.granted(upTo);
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
    this.reader?.ended(end);
    this.writer?.ended();
    for (const watcher of this.#watchers) watcher();
  }
}
