import type { ChunkEnding, ChunkId } from '../core/chunk.ts';
import type { GroupShare } from '../core/pool-event.ts';
import type { Isolation } from '../launchers/isolation.ts';
import type { StartChildren } from '../launchers/launcher.ts';
import type { OutputLimits } from './output-limits.ts';

/** How items and results are written as bytes. `v8` is structured clone, `json` is for other languages. */
export type Encoding = 'v8' | 'json' | 'bytes';

/**
 * Consecutive items, encoded once by whoever called `map`, decoded once by the child that runs them.
 *
 * `v8`: one `v8.serialize` of an array of `count` values, but for lists that travel in ways of their own (number-list.ts,
 * record-list.ts and text-list.ts beside values/block-codec.ts). `json` and `bytes`: `count` records, each a length
 * (unsigned 32 bit, little endian) and that many bytes. Nobody between caller and child looks inside.
 *
 * A hole in a `v8` array is an item that could not be encoded (the caller knows why). Its index is taken, so that every
 * other item keeps its own, but the child never calls the function for it: it reports VALUE_NOT_PORTABLE at once.
 */
export interface Block {
  /** The index of its first item in the job. */
  readonly first: number;
  readonly count: number;
  readonly bytes: Uint8Array;
  /** Constants that its items refer to (`pool.broadcast`); absent where there are none. */
  readonly broadcasts?: readonly BlobFile[];
}

/** A constant, encoded as structured clone, in a file of this machine. Equal contents are one file. */
export interface BlobFile {
  /** Of its bytes, as 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  readonly path: string;
}

/** Which function to call. */
export type TaskRef = {
  /** How it is called in messages and prefixes of prints. */
  readonly name: string;
} & (
  | {
      /** The export of a module (`default` where the user named none). */
      readonly kind: 'export';
      readonly url: string;
      readonly export: string;
    }
  | {
      /** The n-th `task()` call of a module, counted from 0. */
      readonly kind: 'registered';
      /** What to import. */
      readonly url: string;
      /** The `import.meta.url` that `task()` was given there (differs from `url` in a bundle). */
      readonly origin: string;
      readonly ordinal: number;
    }
  | {
      /** The source text of a function that needs nothing from outside itself. */
      readonly kind: 'inline';
      readonly source: string;
    }
);

/** A function that prepares a child, and its arguments: a block of one value, their array. */
export interface ChildInitializer {
  readonly task: TaskRef;
  readonly args: Uint8Array;
  /** Constants that the arguments refer to. */
  readonly broadcasts?: readonly BlobFile[];
  /** How long it may take. Default 60,000. */
  readonly timeoutMs?: number;
}

/** What a child has to be like. Children of another `key` never serve this work. */
export interface ChildSetup {
  /** Equal keys mean equal setups: (submitter, bundle, initializer and its arguments, env, execArgv, …) hashed. */
  readonly key: string;
  /** The whole environment of the child. */
  readonly env: Readonly<Record<string, string>>;
  readonly execArgv: readonly string[];
  /** How its children are started. Default `auto`. */
  readonly startChildren?: StartChildren;
  /** Why they are spawned although it was asked to fork them, as a part of a sentence. */
  readonly notForked?: string;
  /** Forked children share what their modules load. Default false. */
  readonly preload?: boolean;
  readonly initializer?: ChildInitializer;
  readonly stdio: 'forward' | 'ignore';
  readonly maxRssBytes?: number;
  readonly maxAgeMs?: number;
  /** What is taken over of what it prints and throws. Left out: as much as by default. */
  readonly output?: Partial<OutputLimits>;
  /** How it is kept apart. Left out: a process like any other. */
  readonly isolation?: Isolation;
  /** Each child works in an empty folder of its own in here. Left out: where this process works. */
  readonly workParentDir?: string;
}

/** One chunk to run. */
export interface ChunkRequest {
  readonly id: ChunkId;
  readonly setup: ChildSetup;
  /** Chunks of the same job share decoded blocks and the loaded function. */
  readonly job: string;
  readonly task: TaskRef;
  readonly encoding: Encoding;
  /** True for `starmap`/`apply`: each item is an array of arguments. */
  readonly spread: boolean;
  /** Consecutive items of the job. */
  readonly first: number;
  readonly count: number;
  /** The blocks that hold these items, in order. Objects of equal identity are sent to a child once. */
  readonly blocks: readonly Block[];
  /** Report the start of each item before it runs. Implied by `timeoutMs`. */
  readonly marksStarts: boolean;
  /** No item may run twice, not even one that was interrupted for what ran beside it. Left out: they may. */
  readonly runsOnce?: true;
  /** Per item, from its start. */
  readonly timeoutMs?: number;
  readonly maxTasksPerChild?: number;
  /** Default 1. */
  readonly concurrentTasksPerChild?: number;
  /** What whoever sent it may have of this pool. Left out: all of it. */
  readonly group?: GroupShare;
  /** Names or codes of errors that may be retried, or the source of a predicate; absent: every error may. */
  readonly retryOn?: { readonly names: readonly string[] } | { readonly source: string };
  /** For `current()`. */
  readonly tryNumber: number;
  readonly agent?: string;
  readonly maxResultBytes: number;
}

/** Values of consecutive items, as the child encoded them. */
export interface ResultRun {
  readonly first: number;
  readonly count: number;
  readonly bytes: Uint8Array;
  /** Time in the user's function, all items together. */
  readonly runMs: number;
  readonly pid: number;
}

/** One item that failed while its child lives on: it threw, or its result cannot be sent. */
export interface ItemFailureReport {
  readonly index: number;
  readonly code: 'ITEM_THREW' | 'VALUE_NOT_PORTABLE' | 'RESULT_TOO_LARGE';
  readonly retryable: boolean;
  /** The error, encoded as `RemoteErrorData` in the job's encoding (`json` for `json` and `bytes`). */
  readonly error: Uint8Array;
  /** `Name: message`, at most 1 KiB, for logs and clients in other languages. */
  readonly summary: string;
  /** Those of the message of a code that is not ITEM_THREW. */
  readonly facts: Readonly<Record<string, string | number>>;
  readonly pid: number;
  readonly ms: number;
}

/** Text that a task printed. */
export interface Print {
  readonly stream: 'stdout' | 'stderr';
  readonly pid: number;
  /** Undefined for what was printed outside any item (initializer, module, native code). */
  readonly index: number | undefined;
  /** Whole lines, without the last newline. */
  readonly text: string;
  /** Name of the task function; undefined outside any. */
  readonly task: string | undefined;
}

/** What a {@link ChildPool} reports of a chunk. Calls are synchronous and must not throw. */
export interface ChunkListener {
  results(id: ChunkId, run: ResultRun): void;
  itemFailed(id: ChunkId, failure: ItemFailureReport): void;
  /** The last report of this chunk. `error` (encoded RemoteErrorData, always v8) comes with taskFailed and initializerFailed. */
  ended(id: ChunkId, ending: ChunkEnding, detail: ChunkEndingDetail): void;
  /**
   * `id` is undefined for what belongs to no chunk, or to none that is still known: a module, an initializer, native
   * code, whatever an item left behind. `key` is that of the child's setup, and says whom it serves.
   */
  print(id: ChunkId | undefined, print: Print, key: string): void;
}

/** What a chunk's ending comes with, beyond what the machine knows. */
export interface ChunkEndingDetail {
  readonly stderrTail?: string;
  /** For taskFailed and initializerFailed: what was thrown, as plain data. */
  readonly error?: RemoteErrorData;
  /** For taskFailed: a code of the catalogue and its facts. */
  readonly failure?: {
    readonly code: string;
    readonly facts: Readonly<Record<string, string | number | boolean | undefined>>;
  };
}

/** What stands behind an error: another one, or a value that is none. */
export type RemoteErrorCause = RemoteErrorData | { readonly value: unknown };

/** A thrown value as plain data, rebuilt at the caller. */
export interface RemoteErrorData {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string | number;
  /** It is a DOMException, whose name says which: `AbortError`. */
  readonly isDomException?: boolean;
  /** Own enumerable fields that can travel. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly cause?: RemoteErrorCause;
  readonly errors?: readonly RemoteErrorData[];
  /** Of a SuppressedError: what was thrown while something was disposed of. */
  readonly error?: RemoteErrorCause;
  /** Of a SuppressedError: what was thrown before that. */
  readonly suppressed?: RemoteErrorCause;
  /** Set when what was thrown is no Error: the value itself, or its description. */
  readonly thrown?: { readonly value: unknown } | { readonly description: string };
}
