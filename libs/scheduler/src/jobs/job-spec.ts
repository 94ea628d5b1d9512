/** How often an item may be tried again after each kind of ending. */
export interface RetryBudgets {
  /** The function threw. Default 0. */
  readonly thrown: number;
  /** The child died while the item had started. Default 2. */
  readonly crash: number;
  /** The item ran longer than `timeoutMs`. Default 0. */
  readonly timeout: number;
  /** The agent was lost with the item. Never the item's fault, hence a budget of its own. Default 10. */
  readonly lost: number;
}

/** The budgets of a job that says nothing. */
export const defaultRetries: RetryBudgets = { thrown: 0, crash: 2, timeout: 0, lost: 10 };

/** All that the scheduler has to know of a job. Functions and payloads are none of its business. */
export interface JobSpec {
  /** Jobs of a higher priority go first; equal ones share fairly. Default 0, -100 to 100. */
  readonly priority: number;
  /** Labels that an agent must have, each with this value. */
  readonly labels: Readonly<Record<string, string>>;
  /** What its items come in, by a name that an agent must accept. Any agent takes a job that says nothing. */
  readonly encoding?: string;
  /** Items per shard; `auto` grows shards by measured time and bytes. */
  readonly chunkSize: number | 'auto';
  /** Items that one slot runs at once: a child awaits so many. Default 1. */
  readonly concurrentTasks?: number;
  /** How many items there will be, where the caller knows it beforehand. */
  readonly totalItems?: number;
  /** Jobs of one group together use at most `processes` slots at once, anywhere. A connection or a pool is a group. */
  readonly group: { readonly id: string; readonly processes: number };
  /**
   * Jobs of one kind run the same function for the same caller: what the items of one have cost is the first guess at
   * those of the next. None if left out.
   */
  readonly kind?: string;
  readonly retries: RetryBudgets;
  /** Deliver in input order (true), or as items finish. */
  readonly ordered: boolean;
  /** The first final failure cancels the rest. */
  readonly failFast: boolean;
  /** May be run twice to beat a straggler. */
  readonly pure: boolean;
  /** Children mark the start of each item, so that a crash is blamed at once (timeouts, crash budget 0). */
  readonly marksStarts: boolean;
  /** Items pushed and not yet acknowledged by the consumer, at most. */
  readonly windowItems: number;
  /** Bytes of items and of results held for this job, at most. One item or result always fits. */
  readonly windowBytes: number;
  /** When the job ends whatever its state, on the clock of `atMs`; never if left out. */
  readonly deadlineAtMs?: number;
}
