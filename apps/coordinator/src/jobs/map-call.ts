import { bytesText, ShoalError } from '@shoal/errors';
import {
  CreateJobRequest,
  Encoding,
  type JobEnded,
  JobState,
  type MapAnswer,
  type MapItems,
  type MapQuestion,
  type MapRequest,
  readCatalogueError,
} from '@shoal/protocol';
import type { JobId } from '@shoal/scheduler';
import type { CallId } from '../core/index.ts';
import type { Driver } from '../driver.ts';
import { inNameOfBundle } from './bundle-words.ts';
import type { PushedBlock, ReaderCall, WriterCall } from './client-calls.ts';
import { ItemQueue } from './item-queue.ts';
import type { Job } from './job.ts';
import type { CheckedRequest } from './job-request.ts';
import type { Jobs } from './jobs.ts';
import { MapOutcomes } from './map-outcomes.ts';
import { ReportedBlock } from './reported-block.ts';
import { type MessageSink, StreamWriter } from './stream-writer.ts';

/** The call that a {@link MapCall} serves. */
export interface MapStream extends MessageSink<MapAnswer> {
  pause(): unknown;
  resume(): unknown;
}

/** What a {@link MapCall} works with. */
export interface MapParts {
  readonly driver: Driver;
  readonly jobs: Jobs;
}

/** What a {@link MapCall} may do. */
export interface MapLimits {
  readonly messageBytes: number;
  readonly maxItemBytes: number;
}

/**
 * One Map call: a whole job for a client that knows nothing of blocks, windows and cursors.
 *
 * Items are framed into blocks, and values written from runs into messages; no item is ever parsed, or an object of its
 * own. The call reads no further than the job's window, and results are acknowledged as the client takes them, so both
 * sides hold each other back.
 */
export class MapCall implements ReaderCall, WriterCall {
  readonly #parts: MapParts;
  readonly #stream: MapStream;
  readonly #limits: MapLimits;
  readonly #writer: StreamWriter<MapAnswer>;
  readonly #fail: (error: unknown) => void;
  #job: Job | undefined;
  #reading: CallId | undefined;
  #writing: CallId | undefined;
  #isCreating = false;
  /** What was asked for, which the job no longer knows once it has ended. */
  #request: CheckedRequest | undefined;
  /** The bundle as the client calls it: `work@1`. */
  #bundle = '';
  readonly #items: ItemQueue = new ItemQueue();
  #inputClosed = false;
  #flushing = false;
  #granted = 0;
  readonly #block: ReportedBlock = new ReportedBlock();
  /** Those taken were handed to the stream. */
  #outcomes: MapOutcomes | undefined;
  #acknowledged = 0;
  #hasEnded = false;
  #over = false;

  constructor(parts: MapParts, stream: MapStream, limits: MapLimits, fail: (error: unknown) => void) {
    this.#parts = parts;
    this.#stream = stream;
    this.#limits = limits;
    this.#fail = fail;
    this.#writer = new StreamWriter(stream, () => this.#pump());
  }

  /** The next message of the client. */
  take(request: MapQuestion): void {
    if (this.#over) return;
    try {
      if (request.start !== undefined) this.#start(request.start);
      if (!this.#isCreating) throw invalid('start', 'is missing: it is in the first message');
      this.#takeItems(request.received);
      if (this.#items.byteLength >= this.#limits.messageBytes) this.#flush();
      else this.#flushSoon();
    } catch (error) {
      this.#giveUp(error);
    }
  }

  /** The client has sent all its items. */
  inputClosed(): void {
    this.#inputClosed = true;
    if (!this.#isCreating && !this.#over) {
      this.#giveUp(invalid('start', 'is missing: it is in the first message'));
    } else this.#flush();
  }

  /** The client hung up: nobody wants the rest. */
  gone(): void {
    this.#close('its client hung up');
  }

  bound(): void {
    this.#flushSoon();
  }

  offered(upTo: number): void {
    this.#outcomes?.offered(upTo);
    this.#pumpSoon();
  }

  granted(upTo: number): void {
    this.#granted = upTo;
    this.#flushSoon();
  }

  printed(): void {
    this.#pumpSoon();
  }

  ended(): void {
    this.#hasEnded = true;
    this.#pumpSoon();
  }

  takeBlock(): PushedBlock {
    return this.#block.take();
  }

  holdBlock(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#flushSoon();
  }

  done(): void {}

  refused(error: ShoalError): void {
    this.#giveUp(error);
  }

  #start(start: NonNullable<MapRequest['start']>): void {
    if (this.#isCreating) throw invalid('start', 'comes once, in the first message');
    if (start.options?.encoding === Encoding.V8) {
      throw new ShoalError('ENCODING_NOT_ACCEPTED', { encoding: 'v8', accepted: 'json, bytes' });
    }
    if (start.function === '') throw invalid('start.function', 'names no function');
    this.#isCreating = true;
    this.#bundle = start.function.split('#', 1)[0] ?? '';
    const task = { name: '', function: { $case: 'named' as const, value: start.function } };
    const { options, setup } = start;
    this.#parts.jobs.create(
      { ...CreateJobRequest.fromPartial({ task }), options, setup },
      { answered: (job) => this.#created(job), refused: (error) => this.#giveUp(error) },
    );
  }

  #created(id: JobId): void {
    const { driver, jobs } = this.#parts;
    const job = jobs.get(id);
    this.#job = job;
    this.#request = job.request;
    this.#outcomes = new MapOutcomes({ jobs, job, timeoutMs: job.request.options.timeoutMs });
    // Before anything of it runs: who waits can ask why, and whoever looks at the cluster knows whose it is.
    this.#answer({ jobId: id });
    const reading = driver.calls.openReader(this);
    const writing = driver.calls.openWriter(this);
    this.#reading = reading;
    this.#writing = writing;
    driver.step({ type: 'readerOpened', call: reading, job: id, session: '', fromPosition: 0 });
    driver.step({ type: 'writerOpened', call: writing, job: id, session: '', firstIndex: 0 });
  }

  #takeItems(items: MapItems): void {
    const { maxItemBytes } = this.#limits;
    for (let nth = 0; nth < items.count; nth++) {
      const itemBytes = items.byteLengthOf(nth);
      if (itemBytes <= maxItemBytes) continue;
      const index = (this.#job?.view.pushed ?? 0) + this.#items.count + nth;
      const [size, limit] = [bytesText(itemBytes), bytesText(maxItemBytes)];
      throw new ShoalError('ITEM_TOO_LARGE', {
        limitName: 'itemBytes',
        index,
        size,
        limit,
        option: 'shoal coordinator --max-item-bytes',
      });
    }
    this.#items.add(items);
  }

  /** Items that come in one turn of the event loop share a block. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    const [call, job] = [this.#writing, this.#job];
    if (this.#over || job === undefined || call === undefined || this.#hasEnded) return;
    // A block that waits is told of by resume().
    if (this.#block.isWaiting) return;
    this.#reportItems(call, job);
    if (this.#items.count > 0 || this.#block.isWaiting) {
      this.#stream.pause();
      return;
    }
    if (!this.#inputClosed) this.#stream.resume();
    else if (!job.view.inputEnded) this.#endInput(call, job.view.pushed);
  }

  /** A client that lost items on their way must not read a success of the rest. */
  #endInput(call: CallId, pushed: number): void {
    const totalItems = this.#request?.options.totalItems ?? pushed;
    if (totalItems === pushed) {
      this.#parts.driver.step({ type: 'inputEndReceived', call, totalItems });
    } else {
      this.#giveUp(invalid('start.options.total_items', `is ${totalItems}, but ${pushed} items came`));
    }
  }

  /** As blocks, never beyond the window: many small items may have come in one turn. */
  #reportItems(call: CallId, job: Job): void {
    while (!this.#over && !this.#block.isWaiting) {
      const first = job.view.pushed;
      const most = Math.min(this.#granted - first, this.#items.count);
      if (most <= 0) return;
      const { count, payload } = this.#items.take(most, this.#limits.messageBytes);
      this.#block.report({ payload, broadcastSha256: [] });
      const bytes = payload.byteLength;
      this.#parts.driver.step({ type: 'blockReceived', call, first, count, bytes, more: true });
      this.#parts.driver.tickSoon();
    }
  }

  #pumpSoon(): void {
    setImmediate(() => this.#pump());
  }

  #pump(): void {
    const job = this.#job;
    if (job !== undefined) this.#parts.driver.reading(() => this.#send(job));
  }

  #send(job: Job): void {
    const { messageBytes } = this.#limits;
    while (!this.#over && this.#writer.ready) {
      // What went out before was taken: the writer would not be ready otherwise.
      this.#acknowledge(job);
      const prints = job.prints.takeUpTo(messageBytes);
      const written = this.#outcomes?.take(messageBytes) ?? [];
      if (written.length > 0 || prints.length > 0) {
        this.#answer({ written, prints });
        continue;
      }
      if (!this.#hasEnded || job.end === undefined) return;
      this.#finish(job, job.end);
    }
  }

  #acknowledge({ id }: Job): void {
    const { position } = this.#outcomes ?? { position: 0 };
    if (position === this.#acknowledged) return;
    this.#acknowledged = position;
    this.#parts.jobs.ask(
      { type: 'acknowledgementReceived', job: id, session: '', position },
      { answered: () => {}, refused: (error) => this.#giveUp(error) },
    );
  }

  #answer(part: Partial<MapAnswer>): void {
    this.#writer.write({ written: [], outcomes: [], prints: [], jobId: '', ...part });
  }

  #finish(job: Job, end: JobEnded): void {
    job.readOut();
    this.#close('its Map call is done');
    if (end.state === JobState.COMPLETED) {
      const { succeeded, failed } = end;
      this.#answer({ summary: { succeeded, failed, jobId: job.id } });
      this.#writer.end();
    } else {
      this.#fail(this.#endError(end));
    }
  }

  #endError({ error }: JobEnded): ShoalError {
    if (error === undefined) return new ShoalError('INTERNAL');
    return readCatalogueError(inNameOfBundle(error, this.#request?.task, this.#bundle));
  }

  #giveUp(error: unknown): void {
    if (this.#over) return;
    this.#close('its Map call failed');
    this.#fail(error);
  }

  /** Nobody else can ask for the job. */
  #close(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    const job = this.#job;
    if (job === undefined) return;
    job.reader = undefined;
    const { driver } = this.#parts;
    driver.step({ type: 'jobReleased', job: job.id, reason });
    for (const call of [this.#reading, this.#writing]) if (call !== undefined) driver.calls.closed(call);
  }
}

const invalid = (field: string, reason: string): ShoalError =>
  new ShoalError('REQUEST_INVALID', { field, reason });
