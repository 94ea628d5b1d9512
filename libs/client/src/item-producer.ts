import type { ClientWritableStream } from '@grpc/grpc-js';
import { ShoalError } from '@shoal/errors';
import type { Block } from '@shoal/pool';
import { type GetJobResponse, limits, type PushItemsRequest } from '@shoal/protocol';
import type { Connection } from './connection.ts';
import type { Outage } from './outage.ts';

const partBytes = limits.partBytes.default;

/**
 * Sends a job's items, in order, as fast as the coordinator reads.
 *
 * Blocks are kept until an outcome of theirs has come: then the coordinator has accepted them. A stream that breaks is
 * opened again at the item that the coordinator names, so that nothing is missing and nothing comes twice.
 */
export class ItemProducer {
  readonly #connection: Connection;
  readonly #jobId: string;
  readonly #failed: (error: unknown) => void;
  readonly #outage: Outage;
  /** Blocks that the coordinator may not have, in order. */
  #kept: Block[] = [];
  /** Of `#kept`, the next one to send. */
  #next = 0;
  /** Messages of the block that is being sent. */
  #parts: PushItemsRequest[] = [];
  #pushedItems = 0;
  #inputEnded = false;
  #call: ClientWritableStream<PushItemsRequest> | undefined;
  #full = false;
  #opening = false;
  #done = false;

  constructor(connection: Connection, jobId: string, failed: (error: unknown) => void) {
    this.#connection = connection;
    this.#jobId = jobId;
    this.#failed = failed;
    this.#outage = connection.outage();
  }

  push(block: Block): void {
    this.#kept.push(block);
    this.#pushedItems += block.count;
    this.#flow();
  }

  endInput(): void {
    this.#inputEnded = true;
    this.#flow();
  }

  /** An outcome of item `index` came: every block up to its own has been accepted. */
  settled(index: number): void {
    let accepted = 0;
    while (accepted < this.#next && (this.#kept[accepted]?.first ?? Infinity) <= index) accepted += 1;
    this.#forget(accepted);
  }

  /** The job is over. */
  stop(): void {
    this.#done = true;
    this.#call?.cancel();
    this.#call = undefined;
    this.#kept = [];
    this.#parts = [];
  }

  /** Writes while there is something to write and the stream takes it. */
  #flow(): void {
    if (this.#done || this.#opening) return;
    if (this.#call === undefined) {
      this.#open(this.#kept[this.#next]?.first ?? this.#pushedItems);
      return;
    }
    while (!this.#full) {
      const message = this.#parts.shift() ?? this.#nextBlock();
      if (message === undefined) break;
      this.#full = !this.#call.write(message);
    }
    if (this.#inputEnded && !this.#full && this.#next === this.#kept.length && this.#parts.length === 0) {
      this.#call.end({ message: { $case: 'endOfInput', value: { totalItems: this.#pushedItems } } });
      this.#full = true; // Nothing follows.
    }
  }

  #nextBlock(): PushItemsRequest | undefined {
    const block = this.#kept[this.#next];
    if (block === undefined) return undefined;
    this.#next += 1;
    const [first, ...others] = messagesOf(block);
    this.#parts = others;
    return first;
  }

  /** Opens a stream that begins with item `firstIndex`. */
  #open(firstIndex: number): void {
    this.#parts = [];
    this.#full = false;
    const call: ClientWritableStream<PushItemsRequest> = this.#connection.jobs.pushItems((error) => {
      if (this.#call !== call) return; // A stream that was given up.
      this.#call = undefined;
      if (error !== null) return void this.#recover(this.#connection.errorOf(error));
      // All is in, or the job is over; the results tell which.
      this.stop();
    });
    // The callback tells the same.
    call.on('error', () => {});
    call.on('drain', () => {
      if (this.#call !== call || call.writableEnded) return;
      this.#full = false;
      this.#flow();
    });
    this.#call = call;
    this.#full = !call.write({
      message: { $case: 'start', value: { jobId: this.#jobId, firstIndex, clientSession: '' } },
    });
    this.#flow();
  }

  /** Finds out where to go on, and goes on there. */
  async #recover(error: unknown): Promise<void> {
    if (this.#done) return;
    this.#opening = true;
    try {
      const next = await this.#resumeIndex(error);
      if (this.#done || next === undefined) return;
      this.#outage.over();
      let accepted = 0;
      for (const block of this.#kept) {
        if (block.first >= next) break;
        accepted += 1;
      }
      this.#forget(accepted);
      this.#next = 0;
      this.#opening = false;
      this.#open(next);
    } catch (reason) {
      if (!this.#done) this.#failed(reason);
    } finally {
      this.#opening = false;
    }
  }

  /** The item to go on with; undefined where the coordinator has everything. */
  async #resumeIndex(error: unknown): Promise<number | undefined> {
    if (error instanceof ShoalError && error.code === 'ITEMS_OUT_OF_STEP') {
      const { next } = error.facts;
      if (typeof next === 'number') return next;
    }
    await this.#outage.pause(error);
    const { job } = await this.#connection.call<GetJobResponse>((...call) =>
      this.#connection.jobs.getJob({ jobId: this.#jobId }, ...call),
    );
    return job === undefined || (job.inputEnded && this.#inputEnded) ? undefined : job.acceptedItems;
  }

  #forget(blocks: number): void {
    this.#kept.splice(0, blocks);
    this.#next = Math.max(0, this.#next - blocks);
  }
}

/** A block as one message, or as several if it is big. */
function messagesOf({ first, count, bytes, broadcasts = [] }: Block): PushItemsRequest[] {
  const hashes = broadcasts.map(({ sha256 }) => sha256);
  if (bytes.length <= partBytes) {
    const block = { first, count, payload: bytes, more: false, totalBytes: 0, broadcastSha256: hashes };
    return [{ message: { $case: 'block', value: block } }];
  }
  const messages: PushItemsRequest[] = [];
  for (let at = 0; at < bytes.length; at += partBytes) {
    const payload = bytes.subarray(at, at + partBytes);
    const more = at + partBytes < bytes.length;
    const totalBytes = at === 0 ? bytes.length : 0;
    const broadcastSha256 = at === 0 ? hashes : [];
    const value = { first, count, payload, more, totalBytes, broadcastSha256 };
    messages.push({ message: { $case: 'block', value } });
  }
  return messages;
}
