import { ShoalError } from '@shoal/errors';
import type { Block, PushItemsRequest, PushStart } from '@shoal/protocol';
import { PartCollector } from '../bundles/part-collector.ts';
import type { CallId } from '../core/index.ts';
import type { Driver } from '../driver.ts';
import type { PushedBlock, WriterCall } from './client-calls.ts';
import type { Job } from './job.ts';
import { ReportedBlock } from './reported-block.ts';

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
 * The core says which block is kept and which waits. While one waits the stream is read no further, so HTTP/2 holds the
 * producer back.
 */
export class ItemIntake implements WriterCall {
  readonly #driver: Driver;
  readonly #stream: IntakeStream;
  readonly #parts: PartCollector<Block>;
  #call: CallId | undefined;
  #job: Job | undefined;
  readonly #block: ReportedBlock = new ReportedBlock();
  #over = false;

  constructor(driver: Driver, stream: IntakeStream, maxBlockBytes: number) {
    this.#driver = driver;
    this.#stream = stream;
    this.#parts = new PartCollector(maxBlockBytes, 'shoal coordinator --max-item-bytes', 'ITEM_TOO_LARGE');
  }

  /** The next message. */
  take({ message }: PushItemsRequest): void {
    if (this.#over || message === undefined) return;
    try {
      switch (message.$case) {
        case 'start':
          this.#start(message.value);
          return;
        case 'block': {
          const call = this.#started();
          const block = this.#parts.take(message.value);
          if (block === undefined) return;
          const { broadcastSha256, count, first, payload } = block;
          if (this.#job !== undefined) this.#driver.keepConstants(this.#job, broadcastSha256);
          this.#block.report(block);
          const bytes = payload.byteLength;
          this.#driver.step({ type: 'blockReceived', call, first, count, bytes, more: true });
          this.#driver.tickSoon();
          return;
        }
        case 'endOfInput': {
          const { totalItems } = message.value;
          this.#driver.step({ type: 'inputEndReceived', call: this.#started(), totalItems });
        }
      }
    } catch (error) {
      this.gone();
      this.#stream.fail(error);
    }
  }

  /** The client sends no more on this stream; without an end of input another stream will go on. */
  inputClosed(): void {
    if (this.#over) return;
    if (this.#call === undefined) this.done(0);
    else this.#driver.step({ type: 'writerClosed', call: this.#call, orderly: true });
  }

  /** The stream is gone: what had not been accepted does not exist. `connection` is what it came on, where that is open still. */
  gone(connection?: string): void {
    if (this.#over) return;
    this.#close();
    if (this.#call === undefined) return;
    this.#driver.calls.closed(this.#call);
    this.#driver.step({ type: 'writerClosed', call: this.#call, orderly: false, connection });
  }

  bound(job: Job): void {
    this.#job = job;
  }

  /** The reader's stream tells its client. */
  granted(): void {}

  takeBlock(): PushedBlock {
    return this.#block.take();
  }

  holdBlock(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  done(acceptedItems: number): void {
    if (this.#over) return;
    this.#close();
    this.#stream.done(acceptedItems);
  }

  refused(error: ShoalError): void {
    if (this.#over) return;
    this.#close();
    this.#stream.fail(error);
  }

  #start({ clientSession: session, firstIndex, jobId: job, stream }: PushStart): void {
    if (this.#call !== undefined) throw invalid('start', 'comes once, as the first message');
    this.#call = this.#driver.calls.openWriter(this);
    this.#driver.step({ type: 'writerOpened', call: this.#call, job, session, stream, firstIndex });
  }

  #started(): CallId {
    if (this.#call === undefined) throw invalid('start', 'is missing: it is the first message');
    return this.#call;
  }

  #close(): void {
    this.#over = true;
    this.#block.drop();
  }
}

const invalid = (field: string, reason: string): ShoalError =>
  new ShoalError('REQUEST_INVALID', { field, reason });
