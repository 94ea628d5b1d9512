/** What frames say: most as JSON; what comes for every part or item is binary, and written and read in frames.ts. */

import type { BlobFile, Encoding, TaskRef } from '../child-pool/chunk-request.ts';
import type { OutputLimits } from '../child-pool/output-limits.ts';

/** The first frame to a child; with the initializer's arguments after it. */
export interface SetupMessage {
  readonly stdio: 'forward' | 'ignore';
  /** Where it works. Left out: where it was started. */
  readonly workDir?: string;
  /** Left out: the default ones. */
  readonly output?: OutputLimits;
  readonly maxRssBytes?: number;
  readonly initializer?: TaskRef;
  /** What its arguments refer to. */
  readonly broadcasts?: readonly BlobFile[];
}

/** A function and all that is the same for each chunk of its job. */
export interface TaskMessage {
  readonly task: number;
  readonly ref: TaskRef;
  readonly encoding: Encoding;
  readonly spread: boolean;
  readonly job: string;
  readonly agent?: string;
  readonly maxResultBytes: number;
  readonly retryOn?: { readonly names: readonly string[] } | { readonly source: string };
}

/** A block; with its bytes after it. */
export interface BlockMessage {
  readonly block: number;
  readonly encoding: Encoding;
  readonly first: number;
  readonly count: number;
  /** What its items refer to. */
  readonly broadcasts?: readonly BlobFile[];
}

/** What will not be referred to again. */
export interface ForgetMessage {
  readonly blocks: readonly number[];
  readonly tasks: readonly number[];
  /** Constants, by their hashes. */
  readonly broadcasts?: readonly string[];
}

/** Consecutive items to run. */
export interface RunMessage {
  readonly chunk: number;
  readonly task: number;
  readonly first: number;
  readonly count: number;
  readonly blocks: readonly number[];
  readonly marksStarts: boolean;
  readonly concurrentTasks: number;
  readonly tryNumber: number;
}

/** A page to be shared, in a file that goes as soon as it is open. */
export interface NotebookMessage {
  readonly path: string;
}

export interface AbortMessage {
  readonly chunk: number;
  readonly reason: 'aborted' | 'timedOut' | 'recalled';
  /** With `timedOut`: the item. */
  readonly index?: number;
}

/** The first frame of a child. */
export interface StartedMessage {
  /** Its own number, for where the way of starting children has not told it yet. */
  readonly pid: number;
}

/** With the error after it, as structured clone. */
export interface TaskUnloadableMessage {
  readonly chunk: number;
  readonly code: string;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

/** With the error after it, in the job's encoding. */
export interface ItemFailedMessage {
  readonly chunk: number;
  readonly index: number;
  readonly code: 'ITEM_THREW' | 'VALUE_NOT_PORTABLE' | 'RESULT_TOO_LARGE';
  readonly retryable: boolean;
  readonly ms: number;
  readonly summary: string;
  /** Those of the message of a code that is not ITEM_THREW. */
  readonly facts: Readonly<Record<string, string | number>>;
}

export interface PartEndedMessage {
  readonly chunk: number;
  /** Items from here on were not started. */
  readonly next: number;
  /** The child takes no further item. */
  readonly isSpent: boolean;
  readonly rssBytes: number;
}

/** Whole lines that were printed. */
export interface PrintMessage {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
  readonly chunk?: number;
  readonly index?: number;
  readonly task?: string;
}

export interface ExitingMessage {
  readonly running: readonly { readonly chunk: number; readonly index: number }[];
}
