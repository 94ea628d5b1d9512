/** What a pool of children is asked to run, and what it reports. Bytes stay with the driver. */

/** A chunk's number: chosen by whoever hands it in, never used twice in one pool. */
export type ChunkId = number;

/** Consecutive items by their index in the job. */
export interface IndexRange {
  readonly first: number;
  readonly count: number;
}

/** How a child ended, as the operating system told it. */
export interface ChildExit {
  readonly pid: number | undefined;
  /** Undefined where a signal ended it. */
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /** It was a copy of a process that died, and died with it. */
  readonly withItsServer?: true;
}

/** How a chunk ended. Each ends exactly once. */
export type ChunkEnding =
  /** Every item was reported, as a value or a failure. */
  | { readonly kind: 'finished' }
  /**
   * Its child died outside our will. One of `suspects` was running; a chunk that marks its starts has exactly one
   * suspect. All else that was not reported had not started: `unstarted`.
   */
  | {
      readonly kind: 'childDied';
      readonly exit: ChildExit;
      readonly ms: number;
      readonly suspects: readonly IndexRange[];
      readonly unstarted: readonly IndexRange[];
    }
  /**
   * Its child was killed because item `index` ran too long; `unstarted` were not reached, or ran beside it and may run
   * again. `started` ran beside it and may not: only where `runsOnce` says so, left out where there are none.
   */
  | {
      readonly kind: 'timedOut';
      readonly index: number;
      readonly exit: ChildExit;
      readonly ms: number;
      readonly unstarted: readonly IndexRange[];
      readonly started?: readonly IndexRange[];
    }
  /**
   * It was aborted or recalled, or runs once and its child was killed for what another chunk did; nothing of it runs any more.
   * `started` are the items that may have begun and of which nothing was reported; left out where there are none.
   */
  | { readonly kind: 'aborted'; readonly started?: readonly IndexRange[] }
  /** The task function could not be loaded; the driver has the error. */
  | { readonly kind: 'taskFailed' }
  /** The initializer threw, or killed its child; the driver has the error. */
  | { readonly kind: 'initializerFailed' };
