import type { AgentName } from '../identity.ts';

/** Why one try at an item did not give a value. */
export type FailureKind =
  /** The function threw, or its result could not be sent. */
  | 'thrown'
  /** Its child died: exit, signal, out of memory, lost descriptor. */
  | 'crash'
  /** It ran longer than `timeoutMs`. */
  | 'timeout'
  /** Its agent was lost. */
  | 'lost';

/** Where and how one try ran; facts only, the error itself is a payload. */
export interface AttemptFact {
  readonly agent?: AgentName;
  readonly pid?: number;
  readonly exitCode?: number;
  readonly signal?: string;
  readonly ms?: number;
  /** Its child was a copy of a process that died, and died with it. */
  readonly withItsServer?: true;
}

/** How one try at one item failed. */
export interface ItemFailure {
  readonly kind: FailureKind;
  /** For `thrown`: whether the job's `retryOn` lets it be tried again (the child decides, it has the error). */
  readonly retryable: boolean;
  readonly attempt: AttemptFact;
  /** The last lines a dead child wrote to stderr, at most 2 KiB. */
  readonly stderrTail?: string;
  /** What the driver keeps of it until its consumer has it: the error's payload. Left out: nothing worth counting. */
  readonly bytes?: number;
}

/** A failure that stands: its kind, every try at the item, and what the last child wrote. */
export interface FinalFailure {
  readonly kind: FailureKind;
  readonly attempts: readonly AttemptFact[];
  readonly stderrTail?: string;
}

/** How a child died. */
export interface ChildDeath {
  readonly attempt: AttemptFact;
  readonly stderrTail?: string;
}
