/** What a client's side of one job wants done, in this order. The driver does it and decides nothing. */
import type { CallNumber } from './client-event.ts';

/** Open a stream of outcomes that goes on after the first `fromPosition` of them. */
export interface OpenReader {
  readonly type: 'openReader';
  readonly call: CallNumber;
  readonly fromPosition: number;
}

/** Open a stream of items that begins with item `firstIndex`. */
export interface OpenWriter {
  readonly type: 'openWriter';
  readonly call: CallNumber;
  readonly firstIndex: number;
}

/** Send the block that begins with item `first`, after what was sent before and as fast as the stream takes it. */
export interface SendBlock {
  readonly type: 'sendBlock';
  readonly call: CallNumber;
  readonly first: number;
}

/** Say that the input is complete, after the last block, and wait for the answer. */
export interface SendInputEnd {
  readonly type: 'sendInputEnd';
  readonly call: CallNumber;
  readonly totalItems: number;
}

/** The coordinator has every block that begins before item `before`: their bytes are needed no more. */
export interface ReleaseBlocks {
  readonly type: 'releaseBlocks';
  readonly before: number;
}

/** Ask how far the job's input is. */
export interface AskInput {
  readonly type: 'askInput';
  readonly call: CallNumber;
}

/** Tell the coordinator that the first `position` outcomes are here for good. */
export interface Acknowledge {
  readonly type: 'acknowledge';
  readonly call: CallNumber;
  readonly position: number;
}

/** Keep this part of a run, of the batch in hand, until its last one is here. */
export interface KeepPart {
  readonly type: 'keepPart';
  /** Its place in the batch. */
  readonly at: number;
}

/** Forget the parts that were kept: their run comes again from its beginning. */
export interface DropParts {
  readonly type: 'dropParts';
}

/** Hand an outcome of the batch in hand to the surface, after the parts that were kept of it. */
export interface Deliver {
  readonly type: 'deliver';
  /** Its place in the batch. */
  readonly at: number;
}

/** Hand the message in hand to the surface. */
export interface PassOn {
  readonly type: 'passOn';
}

/** Give a stream up: nothing more is read from it or written to it. */
export interface DropCall {
  readonly type: 'dropCall';
  readonly call: CallNumber;
}

/** Tell the surface that the coordinator cannot be reached for now, or that it can again. */
export interface TellReached {
  readonly type: 'tellReached';
  readonly isReached: boolean;
}

/** The job is over: tell the surface what the message in hand says. The last command. */
export interface Finish {
  readonly type: 'finish';
}

/**
 * The job is lost to this client. The last command.
 *
 * `outOfReach`: for longer than `reconnectTimeoutMs`, with the error in hand or, on a clock tick, the last one that `call` had.
 * `refused`: with the error of `call`. `restarted`: the coordinator does not know a job that it had;
 * the error of `call` may say why. `pastDeadline`: its deadline has passed, and the coordinator is not heard.
 */
export interface GiveUp {
  readonly type: 'giveUp';
  readonly call: CallNumber;
  readonly why: 'outOfReach' | 'refused' | 'restarted' | 'outOfStep' | 'pastDeadline';
}

/** Everything the client can ask for. */
export type ClientCommand =
  | OpenReader
  | OpenWriter
  | SendBlock
  | SendInputEnd
  | ReleaseBlocks
  | AskInput
  | Acknowledge
  | KeepPart
  | DropParts
  | Deliver
  | PassOn
  | DropCall
  | TellReached
  | Finish
  | GiveUp;
