import v8 from 'node:v8';
import type { ServerReadableStream, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import { ShoalError } from '@shoal/errors';
import {
  type CreateJobRequest,
  type JobEnded,
  type Outcome,
  type PushItemsRequest,
  type PushItemsResponse,
  type ReadResultsRequest,
  type ReadResultsResponse,
  ResultRun,
  statusOf,
} from '@shoal/protocol';

/** What a test says about jobs, at any time. */
export interface FakeJobHooks {
  /** Called for every block, before it is accepted. */
  readonly onBlock: (job: FakeJob, first: number) => void;
  /** It grants items on the stream of results, as it always did. */
  readonly grantsToReaders: boolean;
  /** Makes the ending of a job whose input has ended and whose outcomes are all out. */
  readonly ending: (job: FakeJob) => JobEnded;
}

/** A job of a fake coordinator: every item's result is the item plus one. */
export class FakeJob {
  readonly id: string;
  readonly request: CreateJobRequest;
  accepted = 0;
  inputEnded = false;
  acknowledged = 0;
  /** How long its reader lets outcomes wait, where it has said so. */
  gatherMs: number | undefined;
  end: JobEnded | undefined;
  readonly #hooks: FakeJobHooks;
  /** Runs, with the position of their first outcome. */
  readonly #outcomes: { readonly position: number; readonly count: number; readonly outcome: Outcome }[] = [];
  #delivered = 0;
  #reader: ServerWritableStream<ReadResultsRequest, ReadResultsResponse> | undefined;

  constructor(id: string, request: CreateJobRequest, hooks: FakeJobHooks) {
    this.id = id;
    this.request = request;
    this.#hooks = hooks;
  }

  read(call: ServerWritableStream<ReadResultsRequest, ReadResultsResponse>): void {
    this.#reader = call;
    this.#delivered = call.request.fromPosition;
    this.gatherMs = call.request.gatherMs;
    call.on('cancelled', () => {
      if (this.#reader === call) this.#reader = undefined;
    });
    this.#grant();
    this.#deliver();
  }

  acknowledge(position: number): void {
    this.acknowledged = Math.max(this.acknowledged, position);
    this.#grant();
  }

  endWith(end: JobEnded): void {
    this.end ??= end;
    this.#deliver();
  }

  start(firstIndex: number): void {
    const facts = { job: this.id, next: this.accepted, index: firstIndex };
    if (firstIndex !== this.accepted) throw new ShoalError('ITEMS_OUT_OF_STEP', facts);
  }

  accept(first: number, count: number, payload: Uint8Array): void {
    this.#hooks.onBlock(this, first);
    if (first !== this.accepted) throw new ShoalError('INTERNAL', { reason: `gap at ${first}` });
    this.accepted += count;
    const values = valuesOf(payload).map((value) => value + 1);
    const run = ResultRun.fromPartial({ first, count, payload: v8.serialize(values) });
    this.#outcomes.push({ position: first, count, outcome: { outcome: { $case: 'run', value: run } } });
    this.#deliver();
  }

  endInput(totalItems: number): void {
    if (totalItems !== this.accepted) throw new ShoalError('INTERNAL', { reason: 'lost items' });
    this.inputEnded = true;
    this.#deliver();
  }

  #grant(): void {
    if (!this.#hooks.grantsToReaders) return;
    const upTo = this.acknowledged + (this.request.options?.windowItems ?? 0);
    this.#reader?.write({ message: { $case: 'granted', value: { upTo } } });
  }

  #deliver(): void {
    for (const { count, outcome, position } of this.#outcomes) {
      if (this.#reader === undefined || position < this.#delivered) continue;
      this.#delivered = position + count;
      this.#reader.write({ message: { $case: 'batch', value: { position, outcomes: [outcome] } } });
    }
    if (this.inputEnded && this.#outcomes.every(({ position }) => position < this.#delivered)) {
      this.end ??= this.#hooks.ending(this);
    }
    if (this.end === undefined || this.#reader === undefined) return;
    this.#reader.write({ message: { $case: 'ended', value: this.end } });
    this.#reader.end();
    this.#reader = undefined;
  }
}

/** A list of long texts is no clone (common.proto, ENCODING_V8). The tests here have one of one, a byte a unit. */
function valuesOf(payload: Uint8Array): readonly number[] {
  const [mark, headBytes] = [0x54, 9];
  if (payload[0] !== mark) return v8.deserialize(payload);
  return [Buffer.from(payload).toString('latin1', headBytes) as unknown as number];
}

/** Feeds a stream of items to the job that it names. */
export function takeItems(
  call: ServerReadableStream<PushItemsRequest, PushItemsResponse>,
  respond: sendUnaryData<PushItemsResponse>,
  find: (jobId: string) => FakeJob,
): void {
  let job: FakeJob | undefined;
  let parts: Uint8Array[] = [];
  let over = false;
  const finish = (error?: unknown): void => {
    if (over) return;
    over = true;
    if (error === undefined) respond(null, { acceptedItems: job?.accepted ?? 0 });
    else respond(statusOf(error));
  };
  call.on('error', () => {});
  call.on('data', ({ message }: PushItemsRequest) => {
    if (over) return;
    try {
      if (message?.$case === 'start') {
        job = find(message.value.jobId);
        job.start(message.value.firstIndex);
      }
      if (message?.$case === 'block') {
        const { count, first, more, payload } = message.value;
        parts.push(payload);
        if (more) return;
        const bytes = Buffer.concat(parts);
        parts = [];
        job?.accept(first, count, bytes);
      }
      if (message?.$case === 'endOfInput') {
        job?.endInput(message.value.totalItems);
        finish();
      }
    } catch (error) {
      finish(error);
    }
  });
}
