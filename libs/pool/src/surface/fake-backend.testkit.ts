import type { Block } from '../child-pool/chunk-request.ts';
import type {
  FailedOutcome,
  JobBackend,
  JobRequest,
  JobSink,
  PoolStats,
  RunningJob,
} from '../job-backend.ts';
import { decodeBlock, encodeBlock } from '../values/block-codec.ts';

/** What blocks hold, by index; holes stay holes. */
export function itemsOf(blocks: readonly Block[]): unknown[] {
  const items: unknown[] = [];
  for (const { first, count, bytes } of blocks) {
    items.length = first + count;
    decodeBlock('v8', bytes, count).forEach((item, at) => {
      items[first + at] = item;
    });
  }
  return items;
}

/** A job as the backend sees it, played by hand. */
export class FakeJob implements RunningJob {
  readonly id: string;
  readonly request: JobRequest;
  readonly sink: JobSink;
  readonly blocks: Block[] = [];
  readonly acknowledged: number[] = [];
  inputEnded = false;
  cancelled: string | undefined;

  constructor(id: string, request: JobRequest, sink: JobSink) {
    this.id = id;
    this.request = request;
    this.sink = sink;
  }

  /** The items pushed so far; holes stay holes. */
  get items(): unknown[] {
    return itemsOf(this.blocks);
  }

  push(block: Block): void {
    this.blocks.push(block);
  }

  endInput(): void {
    this.inputEnded = true;
  }

  acknowledge(position: number): void {
    this.acknowledged.push(position);
  }

  cancel(reason: string): void {
    this.cancelled = reason;
  }

  /** Delivers the values of consecutive items. */
  gives(first: number, ...values: unknown[]): void {
    this.sink.values(first, values.length, encodeBlock('v8', values));
  }

  fails(index: number, outcome: Partial<FailedOutcome> = {}): void {
    const error = { name: 'Error', message: `bad ${index}` };
    this.sink.failed({ index, code: 'ITEM_THREW', attempts: [{ pid: 1 }], facts: {}, error, ...outcome });
  }

  ends(error?: Error): void {
    this.sink.ended(error);
  }
}

/** A backend whose jobs are played by the test. */
export class FakeBackend implements JobBackend {
  readonly jobs: FakeJob[] = [];
  readonly #grant: number;
  refusal: Error | undefined;

  /** Each job may push this many items at once. */
  constructor(grant: number = 1_000_000) {
    this.#grant = grant;
  }

  /** The last job that was opened. */
  get job(): FakeJob {
    const job = this.jobs.at(-1);
    if (job === undefined) throw new Error('no job was opened');
    return job;
  }

  open(request: JobRequest, sink: JobSink): RunningJob {
    if (this.refusal !== undefined) throw this.refusal;
    const job = new FakeJob(`fake-${this.jobs.length + 1}`, request, sink);
    this.jobs.push(job);
    sink.granted(this.#grant);
    return job;
  }

  stats(): PoolStats {
    const starts = { spawned: 0, forked: 0 };
    return { processes: [], recycled: 0, deaths: 0, starts, queued: 0, running: 0, done: 0 };
  }

  async close(): Promise<void> {}

  async terminate(error: Error): Promise<void> {
    for (const job of this.jobs) job.ends(error);
  }
}
