/**
 * One call of the user's function. Every value carries the number of the call that made it, so that a result that was
 * changed, doubled, lost or made up can be told from a true one.
 */
export interface Execution {
  readonly id: number;
  /** What the child read in its block: the function's argument. */
  readonly job: string;
  readonly index: number;
  /** For whom it ran. */
  readonly agent: string;
  readonly child: number;
  readonly epoch: number;
  readonly attempt: number;
  readonly startedAtMs: number;
  /** `value` and `threw` came to their end; the others were cut off. */
  outcome: 'running' | 'value' | 'threw' | 'died' | 'killed';
  endedAtMs: number;
  /** It came to its end, and its child died before anybody heard of it. */
  isUnseen: boolean;
}

/** How a try that gave no value is told on the wire. */
export interface TriedItem {
  readonly index: number;
  readonly kind: 'thrown' | 'timeout';
  readonly retryable: boolean;
  readonly pid: number;
  readonly execution: number;
}
