import { ShoalError } from '@shoal/errors';
import type { Block, PushItemsRequest } from '@shoal/protocol';
import type { Job, JobWriter } from './job.ts';
import type { Jobs } from './jobs.ts';
import { PartCollector } from './part-collector.ts';

/** What an {@link ItemIntake} does with its stream. */
export interface IntakeStream {
  pause(): unknown;
  resume(): unknown;
  /** All is in: answer with the number of accepted items. */
  done(acceptedItems: number): void;
  fail(error: unknown): void;
}

/**
 * One PushItems stream: a start, blocks or their parts, the end.
 *
 * A producer beyond its grant is not refused: its block waits here and the stream is read no further, so HTTP/2 holds
 * the producer back. Never more than one block waits.
 */
export class ItemIntake implements JobWriter {
  readonly #jobs: Jobs;
  readonly #stream: IntakeStream;
  readonly #parts: PartCollector<Block>;
  #job: Job | undefined;
  #leave: () => void = () => {};
  /** Beyond the grant. */
  #held: Block | undefined;
  #endAfterHeld: number | undefined;
  #over = false;

  constructor(jobs: Jobs, stream: IntakeStream, maxBlockBytes: number) {
    this.#jobs = jobs;
    this.#stream = stream;
    this.#parts = new PartCollector(maxBlockBytes, 'shoal coordinator --max-item-bytes');
  }

  /** The next message. */
  take({ message }: PushItemsRequest): void {
    if (this.#over || message === undefined) return;
    try {
      switch (message.$case) {
        case 'start':
          this.#start(message.value.jobId, message.value.firstIndex);
          return;
        case 'block': {
          const block = this.#parts.take(message.value);
          if (block !== undefined) this.#accept(block);
          return;
        }
        case 'endOfInput':
          this.#endOfInput(message.value.totalItems);
      }
    } catch (error) {
      this.#finish(() => this.#stream.fail(error));
    }
  }

  /** The client sends no more on this stream; without an end of input another stream will go on. */
  inputClosed(): void {
    if (this.#held === undefined) this.#finish(() => this.#stream.done(this.#job?.pushed ?? 0));
    else this.#endAfterHeld ??= -1;
  }

  /** The stream is gone: what had not been accepted does not exist. */
  gone(): void {
    this.#finish(() => {});
  }

  granted(): void {
    const held = this.#held;
    if (held === undefined || this.#job === undefined || held.first >= this.#job.grantedUpTo) return;
    this.#held = undefined;
    try {
      this.#accept(held);
      if (this.#held !== undefined) return;
      if (this.#endAfterHeld === undefined) this.#stream.resume();
      else if (this.#endAfterHeld >= 0) this.#endOfInput(this.#endAfterHeld);
      else this.inputClosed();
    } catch (error) {
      this.#finish(() => this.#stream.fail(error));
    }
  }

  ended(): void {
    this.#finish(() => this.#stream.done(this.#job?.pushed ?? 0));
  }

  replaced(): void {
    const job = this.#job?.id ?? '';
    this.#finish(() => this.#stream.fail(new ShoalError('STREAM_REPLACED', { what: 'PushItems', job })));
  }

  #start(jobId: string, firstIndex: number): void {
    if (this.#job !== undefined) throw invalid('start', 'comes once, as the first message');
    const job = this.#jobs.get(jobId);
    if (firstIndex !== job.pushed) {
      throw new ShoalError('ITEMS_OUT_OF_STEP', { job: jobId, next: job.pushed, index: firstIndex });
    }
    this.#job = job;
    this.#leave = job.presence();
    job.writtenBy(this);
    if (job.end !== undefined) this.ended();
  }

  #accept(block: Block): void {
    const job = this.#job;
    if (job === undefined) throw invalid('start', 'is missing: it is the first message');
    // A block that begins within the grant may end beyond it: a producer need not cut a block to fit.
    if (block.first < job.grantedUpTo || block.first !== job.pushed || job.end !== undefined) {
      this.#jobs.push(job, block);
      return;
    }
    this.#held = block;
    this.#stream.pause();
  }

  #endOfInput(totalItems: number): void {
    if (this.#held !== undefined) {
      this.#endAfterHeld = totalItems;
      return;
    }
    const job = this.#job;
    if (job === undefined) throw invalid('start', 'is missing: it is the first message');
    if (job.end === undefined && totalItems !== job.pushed) {
      throw invalid('end_of_input.total_items', `is ${totalItems}, but ${job.pushed} items came`);
    }
    this.#jobs.endInput(job);
    this.#finish(() => this.#stream.done(job.pushed));
  }

  #finish(say: () => void): void {
    if (this.#over) return;
    this.#over = true;
    this.#held = undefined;
    if (this.#job?.writer === this) this.#job.writer = undefined;
    say();
    this.#leave();
  }
}

const invalid = (field: string, reason: string): ShoalError =>
  new ShoalError('REQUEST_INVALID', { field, reason });
