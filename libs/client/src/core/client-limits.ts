/** What a client's core is told once. */
export interface ClientLimits {
  /** How far the producer may be ahead of the consumer: acknowledgements go out at half of it. */
  readonly windowItems: number;
  /** Whether outcomes are seen before the last one has come. Default: they are. */
  readonly isWatched?: boolean;
  /** How long the coordinator may be out of reach before the job is given up. */
  readonly reconnectTimeoutMs: number;
  /** When the job's deadline passes, on the driver's clock; undefined: never. */
  readonly deadlineAtMs?: number | undefined;
  /** Seed of the jitter: equal seeds and equal events give equal commands. */
  readonly seed: number;
}

/** The first wait before another try is at most this long; each one after it twice as long. */
export const backoffMs = 100;

/** No wait is longer. */
export const backoffMsMax = 2_000;

/** What the consumer has taken is acknowledged after this time, however little it is. */
export const acknowledgeMs = 50;

/** The same once the coordinator has the whole input: no producer waits for it, only the memory of what was taken. */
export const lateAcknowledgeMs = 250;

/** The same where nobody sees an outcome before the last one has come, so that they may come late and together. */
export const unwatchedAcknowledgeMs = 1_000;

/** So many messages with outcomes are acknowledged at once: what is large does not stay until that time is over. */
export const acknowledgeBatchesMax = 64;

/**
 * So many outcomes are acknowledged at once, however large the window: the coordinator keeps them until then. Not where nobody
 * sees one before the last and the whole input is in: then only messages count.
 */
export const acknowledgeItemsMax = 32_768;

/** A coordinator that says nothing for so long after a job's deadline will not say that it has passed. */
export const deadlineSilenceMs = 500;

/** How long the reason that the stream of outcomes brings is waited for, when the stream of items has failed. */
export const lastWordMs = 2_000;
