import type { ShoalError } from '@shoal/errors';
import type { JobId } from '@shoal/scheduler';
import type { CallId } from '../core/index.ts';
import type { Job } from './job.ts';

/** A call of a client, as far as it is commanded. Calls are synchronous and must not throw. */
interface ClientCall {
  /** It ends with this error. */
  refused(error: ShoalError): void;
}

/** A call that is answered once. */
export interface Question extends ClientCall {
  /** It is done; a request for a job has this one. */
  answered(job: JobId): void;
}

/** A stream that outcomes go to. */
export interface ReaderCall extends ClientCall {
  bound(job: Job, fromPosition: number): void;
  /** It may be sent the outcomes before this position. */
  offered(upTo: number): void;
  /** The producer may push until the job has so many items in all. */
  granted(upTo: number): void;
  /** Prints wait in the job's queue. */
  printed(): void;
  /** The job is over; what was offered before is sent on. */
  ended(): void;
}

/** A block of items as it came. */
export interface PushedBlock {
  readonly payload: Uint8Array;
  /** SHA-256 of the constants that its items refer to. */
  readonly broadcastSha256: readonly string[];
}

/** A stream that items come from. */
export interface WriterCall extends ClientCall {
  bound(job: Job): void;
  granted(upTo: number): void;
  /** The block that it reported last is kept: this is what belongs to it. */
  takeBlock(): PushedBlock;
  /** That block waits here, and nothing more is read meanwhile. */
  holdBlock(): void;
  /** Nothing waits any more. */
  resume(): void;
  /** The job has so many items, and takes no more from this stream. */
  done(acceptedItems: number): void;
}

/** The calls of clients that are open, by number. */
export class ClientCalls {
  readonly #questions: Map<CallId, Question> = new Map();
  readonly #readers: Map<CallId, ReaderCall> = new Map();
  readonly #writers: Map<CallId, WriterCall> = new Map();
  #numbers: CallId = 0;

  question(question: Question): CallId {
    this.#questions.set(this.#next(), question);
    return this.#numbers;
  }

  openReader(reader: ReaderCall): CallId {
    this.#readers.set(this.#next(), reader);
    return this.#numbers;
  }

  openWriter(writer: WriterCall): CallId {
    this.#writers.set(this.#next(), writer);
    return this.#numbers;
  }

  reader(call: CallId): ReaderCall | undefined {
    return this.#readers.get(call);
  }

  writer(call: CallId): WriterCall | undefined {
    return this.#writers.get(call);
  }

  /** Whoever hears of grants: readers and writers do. */
  granted(call: CallId, upTo: number): void {
    (this.#readers.get(call) ?? this.#writers.get(call))?.granted(upTo);
  }

  /** Answers a question; it is over with that. */
  answer(call: CallId, job: JobId): void {
    const question = this.#questions.get(call);
    this.#questions.delete(call);
    question?.answered(job);
  }

  /** Ends a call of any kind. */
  refuse(call: CallId, error: ShoalError): void {
    const found = this.#questions.get(call) ?? this.#readers.get(call) ?? this.#writers.get(call);
    this.closed(call);
    found?.refused(error);
  }

  /** A call is over. */
  closed(call: CallId): void {
    this.#questions.delete(call);
    this.#readers.delete(call);
    this.#writers.delete(call);
  }

  #next(): CallId {
    this.#numbers += 1;
    return this.#numbers;
  }
}
