import type { ItemError } from '@shoal/errors';
import type { PoolStats } from './job-backend.ts';
import type { MapOptions, ModuleOptions, SubmitOptions } from './options/options.ts';
import type { Job } from './surface/job.ts';
import type { Broadcast } from './values/broadcast.ts';

/** A function that runs in a child process: called with one item (`map`), or with its arguments (`starmap`, `apply`). */
export type TaskFunction<Args extends readonly unknown[], Result> = (...args: Args) => Result;

/**
 * A module that holds the task function: a URL, or a path resolved against the working directory.
 *
 * The export is named by `options.export` or after a `#` (`'./work.ts#square'`); the default export if neither says.
 */
export type TaskModule = URL | string;

/**
 * The items of a job, in order. Pulled as they are needed: an endless generator is fine for `imap`. An array of up to
 * 33,554,432 items is taken as it is when the method is called; of one that is longer, or of a class of its own, no element may
 * go meanwhile. Its elements themselves are read when it is their turn.
 */
export type Items<T> = Iterable<T> | AsyncIterable<T>;

/** What came of one item, where errors are values: `mapSettled`, and `imap` with `settled: true`. */
export type Settled<R> =
  | { readonly status: 'fulfilled'; readonly index: number; readonly value: R }
  | { readonly status: 'rejected'; readonly index: number; readonly error: ItemError };

/** Options of one call of `next()`. */
export interface NextOptions {
  /**
   * Reject with a `TimeoutError` when the result is not there after this many milliseconds. It is not lost: a later
   * `next()` gives that very item.
   *
   * Default: wait without limit. 0 to 2,147,483,647.
   */
  readonly timeoutMs?: number | undefined;
}

/**
 * The results of `imap` and `imapUnordered`.
 *
 * A rejected `next()` is the outcome of one item: the following `next()` gives the following result, nothing is lost.
 * (`for await` stops at the first rejection, as with any iterator; with `settled: true` nothing rejects for an item.)
 * Calls of `next()` may overlap: they are answered in order. `return()`, or leaving `for await` early, cancels what
 * has not run and ends the input. A stream that is dropped without it stops pulling its input at its window.
 */
export interface ResultStream<R> extends AsyncIterableIterator<R, undefined, NextOptions | undefined> {
  /** The next result; rejects with the `ItemError` of an item that failed, or with what ended the job. */
  next(options?: NextOptions): Promise<IteratorResult<R, undefined>>;
  /**
   * Cancels what has not run and returns the input's iterator: its `return()` is waited for, so that it has closed its
   * files, for a second at most, and not at all while it owes an item. Rejects with what it throws in that time.
   */
  return(): Promise<IteratorResult<R, undefined>>;
  /** The stream itself, for `for await`. */
  [Symbol.asyncIterator](): ResultStream<R>;
  /** Does what `return()` does when an `await using` block is left. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A pool that maps functions over items: `multiprocessing.Pool`'s interface.
 *
 * `new Pool()` is one on this machine, `connect()` one on a cluster. What is written against this interface runs on both.
 *
 * Every method that runs something takes the function in one of three forms: `task(import.meta, fn)`, exported from a
 * module; a {@link TaskModule}; or an inline function that uses nothing from outside itself. Items and results travel by
 * structured clone. A failed item is an `ItemError` with the item's index and, as `cause`, the function's own error.
 */
export interface MapPool extends AsyncDisposable {
  /**
   * Calls `fn` with every item and resolves to the results in the order of the items.
   *
   * Every item runs, also after one has failed; then the promise rejects with the `ItemError` of the **lowest** failed
   * index (`failFast: true` rejects at once and cancels the rest). `[]` for no items. An error that the input throws
   * ends the input: the items before it run, then the promise rejects with that very error.
   */
  map<T, R>(fn: TaskFunction<[item: T], R>, items: Items<T>, options?: MapOptions): Promise<Awaited<R>[]>;
  map<R = unknown>(fn: TaskModule, items: Items<unknown>, options?: MapOptions & ModuleOptions): Promise<R[]>;

  /** `map` for functions of several arguments: every element of `argLists` is spread into the arguments of one call. */
  starmap<A extends readonly unknown[], R>(
    fn: TaskFunction<A, R>,
    argLists: Items<NoInfer<A>>,
    options?: MapOptions,
  ): Promise<Awaited<R>[]>;
  starmap<R = unknown>(
    fn: TaskModule,
    argLists: Items<readonly unknown[]>,
    options?: MapOptions & ModuleOptions,
  ): Promise<R[]>;

  /**
   * `map` as a stream: the results one by one, in the order of the items, in bounded memory.
   *
   * The input is pulled at most a window ahead of the consumer (`bufferSize`), whatever its length.
   */
  imap<T, R>(
    fn: TaskFunction<[item: T], R>,
    items: Items<T>,
    options: MapOptions & { readonly settled: true },
  ): ResultStream<Settled<Awaited<R>>>;
  imap<T, R>(
    fn: TaskFunction<[item: T], R>,
    items: Items<T>,
    options?: MapOptions & { readonly settled?: false },
  ): ResultStream<Awaited<R>>;
  imap<R = unknown>(
    fn: TaskModule,
    items: Items<unknown>,
    options: MapOptions & ModuleOptions & { readonly settled: true },
  ): ResultStream<Settled<R>>;
  imap<R = unknown>(
    fn: TaskModule,
    items: Items<unknown>,
    options?: MapOptions & ModuleOptions & { readonly settled?: false },
  ): ResultStream<R>;

  /** `imap`, but results come as they finish: each item once, in any order. */
  imapUnordered<T, R>(
    fn: TaskFunction<[item: T], R>,
    items: Items<T>,
    options: MapOptions & { readonly settled: true },
  ): ResultStream<Settled<Awaited<R>>>;
  imapUnordered<T, R>(
    fn: TaskFunction<[item: T], R>,
    items: Items<T>,
    options?: MapOptions & { readonly settled?: false },
  ): ResultStream<Awaited<R>>;
  imapUnordered<R = unknown>(
    fn: TaskModule,
    items: Items<unknown>,
    options: MapOptions & ModuleOptions & { readonly settled: true },
  ): ResultStream<Settled<R>>;
  imapUnordered<R = unknown>(
    fn: TaskModule,
    items: Items<unknown>,
    options?: MapOptions & ModuleOptions & { readonly settled?: false },
  ): ResultStream<R>;

  /** `map` that never rejects for an item: resolves to what came of each item, value or error, in order. */
  mapSettled<T, R>(
    fn: TaskFunction<[item: T], R>,
    items: Items<T>,
    options?: MapOptions,
  ): Promise<Settled<Awaited<R>>[]>;
  mapSettled<R = unknown>(
    fn: TaskModule,
    items: Items<unknown>,
    options?: MapOptions & ModuleOptions,
  ): Promise<Settled<R>[]>;

  /** Calls `fn(...args)` once, in a child, and resolves to its result. */
  apply<A extends readonly unknown[], R>(
    fn: TaskFunction<A, R>,
    args: A,
    options?: MapOptions,
  ): Promise<Awaited<R>>;
  apply<R = unknown>(
    fn: TaskModule,
    args: readonly unknown[],
    options?: MapOptions & ModuleOptions,
  ): Promise<R>;

  /**
   * `map` as a handle: starts the job and returns at once (Python's `map_async`).
   *
   * Never throws: what is wrong with the options shows in `result()`.
   */
  submit<T, R>(
    fn: TaskFunction<[item: T], R>,
    items: Items<T>,
    options?: SubmitOptions<Awaited<R>[]>,
  ): Job<Awaited<R>>;
  submit<R = unknown>(
    fn: TaskModule,
    items: Items<unknown>,
    options?: SubmitOptions<R[]> & ModuleOptions,
  ): Job<R>;

  /**
   * Takes no new work: from now on it is refused with `PoolClosedError`. What runs goes on, and the children leave when
   * it is done. Closing twice, or after `terminate()`, does nothing.
   */
  close(): void;

  /**
   * Ends everything now: pending work rejects with `PoolTerminatedError`, the children are killed.
   *
   * Resolves when they are gone; never rejects. May be called at any time, any number of times.
   */
  terminate(): Promise<void>;

  /**
   * Waits until the work that was pending at `close()` is done and every child is gone.
   *
   * Rejects with code `POOL_NOT_CLOSED` before `close()` or `terminate()`. A stream of `imap` is pending until it was
   * read to its end or `return()` was called: one that nobody reads any more keeps `join()` waiting.
   */
  join(): Promise<void>;

  /**
   * A handle to a large constant, to be put into items or arguments, at any depth: `pool.map(f, ids.map((id) => ({ id,
   * table })))`, and in `f` `item.table.value`. The constant is sent to each child once (on a cluster: to each agent),
   * however many items refer to it, and again to a child that takes another's place.
   *
   * It is encoded now, so later changes of it do not travel. Any pool of this process can use the handle, `initArgs`
   * included, until it is released or this pool has ended; jobs that run go on having it. An item with a handle that was
   * released fails with code `VALUE_NOT_PORTABLE`.
   *
   * Throws `VALUE_NOT_PORTABLE` with the path of what cannot be sent (another handle included), `BROADCAST_TOO_LARGE`
   * over `maxBroadcastBytes`, `FILE_NOT_USABLE` where the temporary folder cannot be written, and `PoolClosedError` or
   * `PoolTerminatedError`.
   */
  broadcast<T>(value: T): Broadcast<T>;

  /** A snapshot of the pool: its processes and its totals. On a cluster: as of the last heartbeat. */
  stats(): PoolStats;

  /**
   * Leaving an `await using` block terminates the pool, as leaving Python's `with Pool()` does: what is still pending
   * rejects with `PoolTerminatedError`, as the disposal ends. So write `return await pool.map(…)` in such a block: without
   * `await` it is still pending then.
   *
   * A promise of a result that is open when the disposal begins, or has rejected only in that turn of the event loop, belongs
   * to whoever has it, who may get at it only after all else of the block was disposed of: it counts as handled, and Node
   * ends no program for it; whoever awaits it gets its rejection. The price: a failure of a job that was left running and
   * that nobody ever awaits is told by nobody. What was made of such a promise (`.then(…)`, an async function that awaits it)
   * is not the pool's, and is as Node has it.
   *
   * With `onDispose: 'drain'` it closes and joins instead. A stream that cannot go on before somebody takes a result of it,
   * and that nobody has asked for one in the first ten seconds (`unreadStreamMs`), is ended with `PoolTerminatedError`: its
   * reader was in the block. A reader elsewhere who has asked in that time is waited for.
   */
  [Symbol.asyncDispose](): Promise<void>;
}
