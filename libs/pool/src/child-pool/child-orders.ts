/** What a child is told, and what it has of that: functions and blocks are sent once, and forgotten on both sides alike. */
import type { Duplex } from 'node:stream';
import type {
  AbortMessage,
  BlockMessage,
  NotebookMessage,
  RunMessage,
  SetupMessage,
  TaskMessage,
} from '../child/message.ts';
import type { IndexRange } from '../core/chunk.ts';
import { type FrameType, FrameWriter, frameType } from '../frames.ts';
import type { Block, ChildSetup, ChunkRequest } from './chunk-request.ts';
import { defaultOutputLimits } from './output-limits.ts';

/** Blocks that a child keeps, in case that a further part needs them. */
const keptBlockBytesMax = 8 * 1024 * 1024;
const keptTasksMax = 64;

export class ChildOrders {
  readonly #channel: Duplex | undefined;
  readonly #writer: FrameWriter;
  /** Bytes of the blocks that it has, the one used last at the end. */
  readonly #blocks = new Map<number, number>();
  #blockBytes = 0;
  /** Numbers of the functions that it has, the one used last at the end. */
  readonly #tasks = new Map<string, number>();
  #nextTask = 1;
  /** What was announced last: most chunks are of the same job as the one before them. */
  #last: { readonly call: Call; readonly task: number } | undefined;
  #isCorked = false;

  /** `channel` is undefined for a child that could not be started: nobody listens. */
  constructor(channel: Duplex | undefined, nonce: Uint8Array) {
    this.#channel = channel;
    this.#writer = new FrameWriter(nonce);
  }

  /** The first order: what it is to be like. */
  setUp({ stdio, maxRssBytes, initializer, output }: ChildSetup, workDir: string | undefined): void {
    const message: SetupMessage = {
      stdio,
      ...(workDir === undefined ? {} : { workDir }),
      ...(output === undefined ? {} : { output: { ...defaultOutputLimits, ...output } }),
      ...(maxRssBytes === undefined ? {} : { maxRssBytes }),
      ...(initializer === undefined ? {} : { initializer: initializer.task }),
      ...(initializer?.broadcasts === undefined ? {} : { broadcasts: initializer.broadcasts }),
    };
    this.#send(frameType.setup, message, initializer?.args);
  }

  /** Have a function loaded, so that it is there when items come. */
  announce(request: ChunkRequest): number {
    if (this.#last !== undefined && isSameCall(this.#last.call, request)) return this.#last.task;
    const { agent, encoding, job, maxResultBytes, retryOn, spread, task: ref } = request;
    const call = { agent, encoding, job, maxResultBytes, retryOn, spread, task: ref };
    const task = this.#announce(request, taskKey(call));
    this.#last = { call, task };
    return task;
  }

  #announce(request: ChunkRequest, key: string): number {
    const known = this.#tasks.get(key);
    if (known !== undefined) {
      // Used again: the last to be forgotten.
      this.#tasks.delete(key);
      this.#tasks.set(key, known);
      return known;
    }
    const task = this.#nextTask++;
    this.#tasks.set(key, task);
    const message: TaskMessage = {
      task,
      ref: request.task,
      encoding: request.encoding,
      spread: request.spread,
      job: request.job,
      maxResultBytes: request.maxResultBytes,
      ...(request.agent === undefined ? {} : { agent: request.agent }),
      ...(request.retryOn === undefined ? {} : { retryOn: request.retryOn }),
    };
    this.#send(frameType.task, message);
    const [oldest] = this.#tasks;
    if (this.#tasks.size > keptTasksMax && oldest !== undefined) {
      this.#tasks.delete(oldest[0]);
      this.#send(frameType.forget, { blocks: [], tasks: [oldest[1]] });
    }
    return task;
  }

  /** Give it consecutive items. `idOf` numbers blocks, the same for all children. */
  run(request: ChunkRequest, range: IndexRange, marksStarts: boolean, idOf: (block: Block) => number): void {
    const task = this.announce(request);
    const needed = request.blocks.filter(
      (block) => block.first < range.first + range.count && block.first + block.count > range.first,
    );
    for (const block of needed) this.#sendBlock(idOf(block), block, request);
    const message: RunMessage = {
      chunk: request.id,
      task,
      first: range.first,
      count: range.count,
      blocks: needed.map(idOf),
      marksStarts,
      concurrentTasks: request.concurrentTasksPerChild ?? 1,
      tryNumber: request.tryNumber,
    };
    this.#write([this.#writer.run(message)]);
    this.#forgetBlocks();
  }

  /** Nobody can refer to a constant any more. */
  forgetBroadcast(sha256: string): void {
    this.#send(frameType.forget, { blocks: [], tasks: [], broadcasts: [sha256] });
  }

  /** Let it note in this file what need not wake anybody. */
  shareNotebook(path: string): void {
    const message: NotebookMessage = { path };
    this.#send(frameType.notebook, message);
  }

  abort(message: AbortMessage): void {
    this.#send(frameType.abort, message);
  }

  stop(): void {
    this.#send(frameType.stop, {});
  }

  retire(): void {
    this.#send(frameType.retire, {});
  }

  /** What was ordered in this turn leaves now: something that takes its time comes next. */
  flush(): void {
    if (!this.#isCorked) return;
    this.#isCorked = false;
    this.#channel?.uncork();
  }

  #sendBlock(id: number, block: Block, { encoding }: ChunkRequest): void {
    const known = this.#blocks.get(id);
    if (known !== undefined) {
      this.#blocks.delete(id);
      this.#blocks.set(id, known);
      return;
    }
    const { first, count, bytes, broadcasts } = block;
    this.#blocks.set(id, bytes.byteLength);
    this.#blockBytes += bytes.byteLength;
    const message: BlockMessage = { block: id, encoding, first, count };
    this.#send(frameType.block, broadcasts === undefined ? message : { ...message, broadcasts }, bytes);
  }

  /** A part holds on to its blocks in the child, so that even those of a part that waits may be forgotten here. */
  #forgetBlocks(): void {
    const forgotten: number[] = [];
    for (const [id, bytes] of this.#blocks) {
      // The newest stays, however big: the next part probably begins in it.
      if (this.#blockBytes <= keptBlockBytesMax || this.#blocks.size === 1) break;
      this.#blocks.delete(id);
      this.#blockBytes -= bytes;
      forgotten.push(id);
    }
    if (forgotten.length > 0) this.#send(frameType.forget, { blocks: forgotten, tasks: [] });
  }

  #send(type: FrameType, message: unknown, bytes?: Uint8Array): void {
    this.#write(this.#writer.message(type, message, bytes));
  }

  /** Orders of one turn of the event loop leave in one system call: the chunks of one message, say. */
  #write(parts: readonly Uint8Array[]): void {
    const channel = this.#channel;
    if (channel === undefined || !channel.writable) return;
    if (!this.#isCorked) {
      this.#isCorked = true;
      channel.cork();
      process.nextTick(() => this.flush());
    }
    for (const part of parts) channel.write(part);
  }
}

const refKeys = new WeakMap<object, string>();

/** What must be equal for two chunks to call the same function in the same way. */
type Call = Pick<
  { [Key in keyof ChunkRequest]: ChunkRequest[Key] | undefined },
  'agent' | 'encoding' | 'job' | 'maxResultBytes' | 'retryOn' | 'spread'
> &
  Pick<ChunkRequest, 'task'>;

/** Whether they are the same objects, too: quicker to see than that they are equal. */
function isSameCall(a: Call, b: ChunkRequest): boolean {
  return (
    a.job === b.job &&
    a.task === b.task &&
    a.encoding === b.encoding &&
    a.spread === b.spread &&
    a.retryOn === b.retryOn &&
    a.agent === b.agent &&
    a.maxResultBytes === b.maxResultBytes
  );
}

function taskKey({ agent, encoding, job, maxResultBytes, retryOn, spread, task }: Call): string {
  let refKey = refKeys.get(task);
  if (refKey === undefined) {
    refKey = JSON.stringify(task);
    refKeys.set(task, refKey);
  }
  return JSON.stringify([job, refKey, encoding, spread, retryOn, agent, maxResultBytes]);
}
