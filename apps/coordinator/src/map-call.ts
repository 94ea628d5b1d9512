import { ShoalError } from '@shoal/errors';
import {
  CreateJobRequest,
  Encoding,
  type JobEnded,
  JobState,
  type MapOutcome,
  type MapRequest,
  type MapResponse,
  readCatalogueError,
} from '@shoal/protocol';
import { frameItems, unframeItems } from './item-frames.ts';
import type { Job, JobReader, StoredOutcome } from './job.ts';
import type { Jobs } from './jobs.ts';
import { type MessageSink, StreamWriter } from './stream-writer.ts';

/** The call that a {@link MapCall} serves. */
export interface MapStream extends MessageSink<MapResponse> {
  pause(): unknown;
  resume(): unknown;
}

/** What a {@link MapCall} may do. */
export interface MapLimits {
  readonly messageBytes: number;
  readonly maxItemBytes: number;
}

/**
 * One Map call: a whole job for a client that knows nothing of blocks, windows and cursors.
 *
 * Items are framed into blocks and results cut out of runs; no item is ever parsed. The call reads no further than
 * the job's window, and results are acknowledged as the client takes them, so both sides hold each other back.
 */
export class MapCall implements JobReader {
  readonly #jobs: Jobs;
  readonly #stream: MapStream;
  readonly #limits: MapLimits;
  readonly #writer: StreamWriter<MapResponse>;
  readonly #fail: (error: unknown) => void;
  #job: Job | undefined;
  #leave: () => void = () => {};
  #items: Uint8Array[] = [];
  #itemBytes = 0;
  #inputClosed = false;
  #flushing = false;
  readonly #outcomes: StoredOutcome[] = [];
  /** How many values of the first waiting outcome went out. */
  #sentOfFirst = 0;
  /** Outcomes handed to the stream. */
  #position = 0;
  #end: JobEnded | undefined;
  #over = false;

  constructor(jobs: Jobs, stream: MapStream, limits: MapLimits, fail: (error: unknown) => void) {
    this.#jobs = jobs;
    this.#stream = stream;
    this.#limits = limits;
    this.#fail = fail;
    this.#writer = new StreamWriter(stream, () => this.#pump());
  }

  /** The next message of the client. */
  take(request: MapRequest): void {
    if (this.#over) return;
    try {
      if (request.start !== undefined) this.#start(request.start);
      if (this.#job === undefined) throw invalid('start', 'is missing: it is in the first message');
      for (const item of request.items) this.#takeItem(item);
      this.#flushSoon();
    } catch (error) {
      this.#giveUp(error);
    }
  }

  /** The client has sent all its items. */
  inputClosed(): void {
    this.#inputClosed = true;
    if (this.#job === undefined && !this.#over) {
      this.#giveUp(invalid('start', 'is missing: it is in the first message'));
    } else this.#flush();
  }

  /** The client hung up: nobody wants the rest. */
  gone(): void {
    const job = this.#close();
    if (job === undefined) return;
    this.#jobs.cancel(job, 'its client hung up');
    this.#jobs.forget(job);
  }

  outcomes(outcomes: readonly StoredOutcome[]): void {
    this.#outcomes.push(...outcomes);
    this.#pumpSoon();
  }

  granted(): void {
    this.#flushSoon();
  }

  printed(): void {
    this.#pumpSoon();
  }

  ended(ended: JobEnded): void {
    this.#end = ended;
    this.#pumpSoon();
  }

  replaced(): void {
    this.#giveUp(new ShoalError('STREAM_REPLACED', { what: 'Map', job: this.#job?.id ?? '' }));
  }

  #start(start: NonNullable<MapRequest['start']>): void {
    if (this.#job !== undefined) throw invalid('start', 'comes once, in the first message');
    if (start.options?.encoding === Encoding.V8) {
      throw new ShoalError('ENCODING_NOT_ACCEPTED', { encoding: 'v8', accepted: 'json, bytes' });
    }
    const task = { name: '', function: { $case: 'named' as const, value: start.function } };
    const { options, setup } = start;
    const job = this.#jobs.create({ ...CreateJobRequest.fromPartial({ task }), options, setup });
    this.#job = job;
    this.#leave = job.presence();
    job.readBy(this);
    job.writtenBy({ granted: () => this.#flushSoon(), ended: () => {}, replaced: () => {} });
  }

  #takeItem(item: Uint8Array): void {
    const { maxItemBytes } = this.#limits;
    if (item.byteLength > maxItemBytes) {
      const index = (this.#job?.pushed ?? 0) + this.#items.length;
      const [size, limit] = [item.byteLength, maxItemBytes];
      throw new ShoalError('ITEM_TOO_LARGE', {
        index,
        size,
        limit,
        option: 'shoal coordinator --max-item-bytes',
      });
    }
    this.#items.push(item);
    this.#itemBytes += item.byteLength;
    if (this.#itemBytes >= this.#limits.messageBytes) this.#flush();
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
    const job = this.#job;
    if (this.#over || job === undefined || this.#end !== undefined) return;
    // Never beyond the window: many small items may have come in one turn.
    const items = this.#items.splice(0, Math.max(0, job.grantedUpTo - job.pushed));
    if (items.length > 0) {
      for (const item of items) this.#itemBytes -= item.byteLength;
      this.#jobs.push(job, { first: job.pushed, count: items.length, payload: frameItems(items) });
    }
    if (this.#items.length > 0) {
      this.#stream.pause();
      return;
    }
    if (this.#inputClosed) this.#jobs.endInput(job);
    else this.#stream.resume();
  }

  #pumpSoon(): void {
    setImmediate(() => this.#pump());
  }

  #pump(): void {
    const job = this.#job;
    while (!this.#over && job !== undefined && this.#writer.ready) {
      // What went out before was taken: the writer would not be ready otherwise.
      this.#jobs.acknowledge(job, this.#position);
      const prints = job.prints.takeUpTo(this.#limits.messageBytes);
      const outcomes = this.#nextOutcomes();
      if (outcomes.length > 0 || prints.length > 0) {
        this.#writer.write({ outcomes, prints });
        continue;
      }
      if (this.#end === undefined) return;
      this.#finish(job, this.#end);
    }
  }

  #nextOutcomes(): MapOutcome[] {
    const taken: MapOutcome[] = [];
    let bytes = 0;
    while (bytes < this.#limits.messageBytes) {
      const next = this.#outcomes[0];
      if (next === undefined) break;
      if (next.kind === 'failure') {
        taken.push({ index: next.first, outcome: { $case: 'failure', value: next.failure } });
        bytes += 1024;
        this.#outcomes.shift();
        this.#position = next.position + 1;
        continue;
      }
      const values = unframeItems(next.run.bytes, next.run.count).slice(
        next.offset,
        next.offset + next.count,
      );
      while (this.#sentOfFirst < values.length && bytes < this.#limits.messageBytes) {
        const value = values[this.#sentOfFirst] as Uint8Array;
        taken.push({ index: next.first + this.#sentOfFirst, outcome: { $case: 'value', value } });
        bytes += value.byteLength + 16;
        this.#sentOfFirst += 1;
      }
      this.#position = next.position + this.#sentOfFirst;
      if (this.#sentOfFirst < values.length) break;
      this.#sentOfFirst = 0;
      this.#outcomes.shift();
    }
    return taken;
  }

  #finish(job: Job, end: JobEnded): void {
    job.readOut();
    if (end.state === JobState.COMPLETED) {
      const { succeeded, failed } = end;
      this.#writer.write({ outcomes: [], prints: [], summary: { succeeded, failed, jobId: job.id } });
      this.#close();
      this.#writer.end();
    } else {
      this.#close();
      this.#fail(end.error === undefined ? new ShoalError('INTERNAL') : readCatalogueError(end.error));
    }
    this.#jobs.forget(job);
  }

  #giveUp(error: unknown): void {
    const job = this.#close();
    this.#fail(error);
    if (job === undefined) return;
    this.#jobs.cancel(job, 'its Map call failed');
    this.#jobs.forget(job);
  }

  #close(): Job | undefined {
    const job = this.#over ? undefined : this.#job;
    this.#over = true;
    if (job !== undefined) {
      job.reader = undefined;
      job.writer = undefined;
    }
    this.#leave();
    return job;
  }
}

const invalid = (field: string, reason: string): ShoalError =>
  new ShoalError('REQUEST_INVALID', { field, reason });
