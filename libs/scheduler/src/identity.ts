/** What the scheduler's events and commands refer to. */

/** One `map` call. Chosen by the driver; never used twice. */
export type JobId = string;

/** An agent's name, stable over its lives. */
export type AgentName = string;

/** One life of an agent's connection. Numbered by the driver, rising, never used twice in an epoch. */
export type SessionId = number;

/** One try at a shard. Numbered by the scheduler from 1, rising, never used twice in an epoch. */
export type AttemptId = number;

/** Consecutive items of a job: `first`, `first + 1`, … `first + count - 1`. */
export interface ItemRange {
  readonly first: number;
  readonly count: number;
}
