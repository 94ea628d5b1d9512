import type { ClientWritableStream } from '@grpc/grpc-js';
import type { Block } from '@shoal/pool';
import { limits, type PushItemsRequest, type PushStart } from '@shoal/protocol';
import type { Connection } from './connection.ts';

const partBytes = limits.partBytes.default;

/** One stream of items: blocks go out in order, as fast as the coordinator reads. */
export class ItemStream {
  readonly #call: ClientWritableStream<PushItemsRequest>;
  /** Given and not sent; a block is cut into messages when its turn comes. */
  readonly #waiting: Block[] = [];
  /** Messages of the block whose turn it is. */
  #messages: PushItemsRequest[] = [];
  /** Said after the last block. */
  #end: PushItemsRequest | undefined;
  #isFull = false;
  #isOver = false;

  /** `onOver` hears of the answer, or of the error that ended the stream; of one of them, once. */
  constructor(connection: Connection, start: PushStart, onOver: (error: unknown) => void) {
    const call: ClientWritableStream<PushItemsRequest> = connection.jobs.pushItems((error) => {
      if (this.#isOver) return;
      this.#isOver = true;
      onOver(error === null ? undefined : connection.errorOf(error));
    });
    // The callback tells the same.
    call.on('error', () => {});
    call.on('drain', () => {
      this.#isFull = false;
      this.#flow();
    });
    this.#call = call;
    this.#isFull = !call.write({ message: { $case: 'start', value: start } });
  }

  send(block: Block): void {
    this.#waiting.push(block);
    this.#flow();
  }

  end(totalItems: number): void {
    this.#end = { message: { $case: 'endOfInput', value: { totalItems } } };
    this.#flow();
  }

  /** Nothing is sent any more, and `onOver` hears nothing. */
  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#call.cancel();
  }

  /** Writes while there is something to write and the stream takes it. */
  #flow(): void {
    while (!this.#isFull && !this.#isOver && !this.#call.writableEnded) {
      const message = this.#messages.shift() ?? this.#nextBlock();
      if (message !== undefined) this.#isFull = !this.#call.write(message);
      else if (this.#end !== undefined) this.#call.end(this.#end);
      else return;
    }
  }

  #nextBlock(): PushItemsRequest | undefined {
    const block = this.#waiting.shift();
    if (block === undefined) return undefined;
    this.#messages = messagesOf(block);
    return this.#messages.shift();
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
