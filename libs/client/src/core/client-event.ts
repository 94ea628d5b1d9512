/**
 * What happens to a client's side of one job: facts in the past tense, each with the time at which the driver saw it
 * (`atMs`, monotonic milliseconds). None carries a payload; the driver holds the bytes of an event in hand until the
 * commands of that very step are done.
 */

/** A stream or a call of this job, numbered by the machine, rising. News of one that was given up is dropped. */
export type CallNumber = number;

/** Why a call failed, as far as it matters for what comes next. The driver keeps the error. */
export type CallFailure =
  /** It got lost on its way: made again, it may work. */
  | { readonly kind: 'lostOnTheWay' }
  /** The job has accepted `next` items; the stream began with another one. */
  | { readonly kind: 'outOfStep'; readonly next: number }
  /** The coordinator does not know the job. */
  | { readonly kind: 'unknownJob' }
  /** Another try cannot help. */
  | { readonly kind: 'final' };

/** The coordinator has created the job. */
export interface JobOpened {
  readonly type: 'jobOpened';
  readonly atMs: number;
}

/** The surface has the next items; the driver keeps their bytes until `releaseBlocks`. */
export interface BlockPushed {
  readonly type: 'blockPushed';
  readonly atMs: number;
  readonly first: number;
  readonly count: number;
}

/** The surface has no more items. */
export interface InputEnded {
  readonly type: 'inputEnded';
  readonly atMs: number;
}

/** The consumer has taken the first `position` outcomes, in the order of delivery. */
export interface OutcomesTaken {
  readonly type: 'outcomesTaken';
  readonly atMs: number;
  readonly position: number;
}

/** What an outcome of a batch is: values of consecutive items or a part of them, or one failure. */
export type OutcomeShape =
  | { readonly kind: 'run'; readonly first: number; readonly count: number; readonly more: boolean }
  | { readonly kind: 'failure'; readonly index: number };

/** A batch of outcomes came. */
export interface BatchReceived {
  readonly type: 'batchReceived';
  readonly atMs: number;
  readonly call: CallNumber;
  /** How many outcomes come before it. */
  readonly position: number;
  readonly outcomes: readonly OutcomeShape[];
}

/** Something else came on the stream of outcomes: a grant, a print, progress. */
export interface MessageReceived {
  readonly type: 'messageReceived';
  readonly atMs: number;
  readonly call: CallNumber;
}

/** The job is over, as the stream of outcomes says after the last of them. */
export interface EndReceived {
  readonly type: 'endReceived';
  readonly atMs: number;
  readonly call: CallNumber;
}

/** The coordinator has answered the stream of items: all are in, or the job takes no more. */
export interface ItemsAnswered {
  readonly type: 'itemsAnswered';
  readonly atMs: number;
  readonly call: CallNumber;
}

/** The coordinator said how far the job's input is. */
export interface InputTold {
  readonly type: 'inputTold';
  readonly atMs: number;
  readonly call: CallNumber;
  readonly acceptedItems: number;
  readonly inputEnded: boolean;
}

/** An acknowledgement was answered. */
export interface AcknowledgementAnswered {
  readonly type: 'acknowledgementAnswered';
  readonly atMs: number;
  readonly call: CallNumber;
}

/** A stream or a call failed; a stream of outcomes that ended without saying how the job did, too. */
export interface CallFailed {
  readonly type: 'callFailed';
  readonly atMs: number;
  readonly call: CallNumber;
  readonly failure: CallFailure;
}

/** Nobody waits for the job any more. */
export interface JobLeft {
  readonly type: 'jobLeft';
  readonly atMs: number;
}

/** `nextDeadlineMs()` was reached. */
export interface ClockTicked {
  readonly type: 'clockTicked';
  readonly atMs: number;
}

/** Everything that can happen. */
export type ClientEvent =
  | JobOpened
  | BlockPushed
  | InputEnded
  | OutcomesTaken
  | BatchReceived
  | MessageReceived
  | EndReceived
  | ItemsAnswered
  | InputTold
  | AcknowledgementAnswered
  | CallFailed
  | JobLeft
  | ClockTicked;
