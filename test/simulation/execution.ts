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
  /** On its agent's clock, which may jump or sleep. */
  readonly startedLocalMs: number;
  endedLocalMs: number;
  /** It came to its end, and its child died before anybody heard of it. */
  isUnseen: boolean;
}

/** How a try that gave no value is told on the wire. */
export interface TriedItem {
  readonly index: number;
  readonly kind: 'thrown' | 'timeout';
  readonly retryable: boolean;
  readonly pid: number;
  /** What was thrown: the number of the call, and however much more the error weighs. */
  readonly error: Uint8Array;
}

/** An error of so many bytes, by the call that threw it. */
export function errorOf(execution: number, bytes: number): Uint8Array {
  const error = new Uint8Array(Math.max(4, bytes));
  new DataView(error.buffer).setUint32(0, execution);
  return error;
}

/** The call that threw an error; undefined: there is none in it. */
export function thrownBy(error: Uint8Array | undefined): number | undefined {
  if (error === undefined || error.byteLength < 4) return undefined;
  return new DataView(error.buffer, error.byteOffset).getUint32(0);
}
