/** The machine's own limits. */
export interface PoolMachineLimits {
  /** A child whose channel ended may take this long to exit before it is killed. */
  readonly lostChannelMs: number;
  /** A child may take this long from its start to its first word, unless it waits for a debugger; then it has failed to start. */
  readonly startMs: number;
  /** A child's initializer may take this long; then what waits for its key ends. */
  readonly initializerMs: number;
  /** A child that was asked to leave may take this long. */
  readonly retireMs: number;
  /** A child that ends by itself may take this long from our exit handler on; the user's own come after it. */
  readonly exitingMs: number;
  /** From the AbortSignal of an item that ran too long to the kill of its child. */
  readonly timeoutGraceMs: number;
  /** More deaths outside items than this, within `outsideDeathsWithinMs` and without progress: the function is given up. */
  readonly outsideDeathsMax: number;
  readonly outsideDeathsWithinMs: number;
  /** Children of a key that fail to start, or in their initializer, in a row: what waits for the key ends. */
  readonly startFailuresMax: number;
}

const startMs = 120_000;

export const defaultLimits: PoolMachineLimits = {
  lostChannelMs: 100,
  startMs,
  initializerMs: 60_000,
  retireMs: 1_000,
  exitingMs: 30_000,
  timeoutGraceMs: 100,
  outsideDeathsMax: 5,
  outsideDeathsWithinMs: 10_000,
  startFailuresMax: 3,
};
