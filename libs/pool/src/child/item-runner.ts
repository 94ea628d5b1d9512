/**
 * Runs items. Synchronous functions run in a tight loop, without a promise, a timer or an object per item; a function
 * that returns a promise is awaited, several at once where the job allows it. Between items the event loop gets its
 * turn now and then, so that aborts and further parts arrive.
 */
import type { RemoteErrorData } from '../chunk-request.ts';
import { frameType } from '../frames.ts';
import { describeThrown, encodeError, summarize } from '../values/remote-error.ts';
import type { Channel } from './channel.ts';
import { type CurrentItem, ItemContext } from './current-item.ts';
import type { AbortMessage, ExitingMessage, ItemFailedMessage, PartEndedMessage } from './message.ts';
import type { Part } from './part.ts';
import type { PrintCapture } from './print-capture.ts';
import type { ItemRefused } from './result-batch.ts';
import type { TaskFunction } from './task-loader.ts';

/** The event loop gets its turn after this much work, in ms. */
const turnMs = 10;
/** Results leave when the oldest is about this old, in ms. */
const batchMs = 1;
/** Reading the clock costs as much as a tiny item; up to this many of them share a reading. */
const strideMax = 8;
/** Items quicker than this (ms) are tiny. */
const tinyMs = 0.002;
/** Reading the memory in use takes microseconds: not more often than this, in ms. */
const memoryCheckMs = 5;

const { setImmediate } = globalThis;
const now: () => number = performance.now.bind(performance);
const rssBytes: () => number = process.memoryUsage.rss.bind(process.memoryUsage);

export class ItemRunner {
  readonly #channel: Channel;
  readonly #current: CurrentItem;
  readonly #prints: PrintCapture;
  readonly #parts: Part[] = [];
  #maxRssBytes = Number.POSITIVE_INFINITY;
  #memoryCheckedAt = Number.NEGATIVE_INFINITY;
  #rssBytes = 0;
  /** Takes no further item: too big, or told to stop. */
  #isSpent = false;
  /** The synchronous item that runs right now. */
  #runningPart: Part | undefined;
  #runningIndex = 0;
  #inFlight = 0;
  #isPumping = false;
  #isTurnDue = false;
  #isFlushDue = false;
  #turnStartedAt = 0;
  #whenIdle: (() => void) | undefined;

  constructor(channel: Channel, current: CurrentItem, prints: PrintCapture) {
    this.#channel = channel;
    this.#current = current;
    this.#prints = prints;
    channel.onDrain = () => this.#turn();
  }

  limitMemory(maxRssBytes: number): void {
    this.#maxRssBytes = maxRssBytes;
  }

  add(part: Part): void {
    part.isStopped = this.#isSpent;
    this.#parts.push(part);
    if (!part.task.isLoaded) part.task.whenLoaded(() => this.#turn());
    this.#turnLater();
  }

  abort({ chunk, reason }: AbortMessage): void {
    const part = this.#parts.find((candidate) => candidate.spec.chunk === chunk);
    if (part === undefined) return;
    part.isStopped = true;
    this.#turnLater();
    if (reason === 'recalled') return;
    const error =
      reason === 'timedOut'
        ? new DOMException('The item ran longer than timeoutMs.', 'TimeoutError')
        : new DOMException('The job was cancelled.', 'AbortError');
    for (const item of part.inFlight) item.abort(error);
  }

  /** Start no further item. */
  stop(): void {
    this.#isSpent = true;
    for (const part of this.#parts) part.isStopped = true;
    this.#turnLater();
  }

  /** Call back once nothing is left to do. */
  whenIdle(then: () => void): void {
    this.#whenIdle = then;
    this.#turnLater();
  }

  /** For the last words of the process: send what is done, and say what was running. */
  lastWords(): ExitingMessage {
    const running: { chunk: number; index: number }[] = [];
    for (const part of this.#parts) {
      part.results.flush();
      for (const item of part.inFlight) running.push({ chunk: part.spec.chunk, index: item.index });
    }
    const part = this.#runningPart;
    if (part !== undefined) running.push({ chunk: part.spec.chunk, index: this.#runningIndex });
    return { running };
  }

  #turnLater(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    setImmediate(() => {
      this.#isTurnDue = false;
      this.#turn();
    });
  }

  /** The event loop has just had its turn; now it is the items' again. */
  #turn(): void {
    this.#turnStartedAt = now();
    this.#pump();
  }

  /** Start whatever can start now. */
  #pump(): void {
    // A task that settles synchronously inside its own start must not start the next one on top of it.
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      while (this.#pumpOnce()) {
        // Each round has finished a part.
      }
    } finally {
      this.#isPumping = false;
    }
  }

  #pumpOnce(): boolean {
    for (const part of this.#parts) {
      if (part.isExhausted) {
        if (part.inFlight.size > 0) continue;
        this.#endPart(part);
        return true;
      }
      if (!part.task.isLoaded || this.#channel.isBacklogged) return false;
      const run = part.task.run;
      if (run === undefined) {
        this.#refusePart(part);
        return true;
      }
      if (this.#inFlight >= part.spec.concurrentTasks) return false;
      if (!part.hasBegun) {
        part.hasBegun = true;
        this.#channel.message(frameType.partBegan, { chunk: part.spec.chunk });
      }
      this.#startItems(part, run);
      return part.isExhausted && part.inFlight.size === 0;
    }
    if (this.#parts.length === 0 && this.#whenIdle !== undefined) {
      this.#whenIdle();
      this.#whenIdle = undefined;
    }
    return false;
  }

  /** The tight loop. Leaves it when the part is exhausted, something has to be awaited, or others want a turn. */
  #startItems(part: Part, run: TaskFunction): void {
    const { items, results, task } = part;
    const { marksStarts, concurrentTasks } = part.spec;
    const { spread } = task.spec;
    const isFollowed = task.isAsync || concurrentTasks > 1;
    let clock = now();
    let batchStartedAt = clock;
    let stride = 1;
    let unread = 0;
    while (part.next < part.end && !part.isStopped) {
      const index = part.next;
      if (marksStarts && part.marked !== index) {
        results.flush();
        part.marked = index;
        this.#channel.send([this.#channel.writer.itemStarted(part.spec.chunk, index)]);
        // The mark has to be out before the item can do any harm.
        if (this.#channel.isBacklogged) return;
      }
      part.next = index + 1;
      if (isFollowed) {
        this.#startFollowed(part, run, index);
        if (this.#inFlight >= concurrentTasks || this.#channel.isBacklogged) return;
        if (now() - this.#turnStartedAt > turnMs) {
          this.#turnLater();
          return;
        }
        continue;
      }
      this.#runningPart = part;
      this.#runningIndex = index;
      this.#current.enter(index, part.context);
      try {
        const item = items.take(index);
        const result = spread ? run(...(item as unknown[])) : run(item);
        if (isThenable(result)) {
          // From the next one on it is known beforehand.
          task.isAsync = true;
          const context = this.#current.entered() ?? new ItemContext(index, part.context);
          this.#runningPart = undefined;
          this.#await(part, context, result, clock);
          return;
        }
        results.add(index, result);
      } catch (error) {
        this.#runningPart = undefined;
        this.#failed(part, index, error, now() - clock);
      }
      this.#runningPart = undefined;
      const context = this.#current.enteredContext;
      this.#current.leave();
      if (context !== undefined) this.#prints.finish(context);
      unread += 1;
      if (unread < stride && !results.isFull) continue;
      const time = now();
      results.runMs += time - clock;
      // Only items that are tiny by measurement share a reading: a slow one must go out at once.
      stride = (time - clock) / unread < tinyMs ? Math.min(stride * 2, strideMax) : 1;
      unread = 0;
      clock = time;
      if (time - batchStartedAt >= batchMs || results.isFull) {
        results.flush();
        this.#checkMemory(time);
        if (this.#channel.isBacklogged) return;
        clock = now();
        batchStartedAt = clock;
        if (clock - this.#turnStartedAt > turnMs && part.next < part.end) {
          this.#turnLater();
          return;
        }
      }
    }
    results.runMs += now() - clock;
  }

  /** Start one item whose work is followed across awaits. */
  #startFollowed(part: Part, run: TaskFunction, index: number): void {
    const context = new ItemContext(index, part.context);
    const startedAt = now();
    this.#runningPart = part;
    this.#runningIndex = index;
    try {
      const item = part.items.take(index);
      const { spread } = part.task.spec;
      const result = this.#current.follow(context, () => (spread ? run(...(item as unknown[])) : run(item)));
      if (isThenable(result)) {
        this.#runningPart = undefined;
        this.#await(part, context, result, startedAt);
        return;
      }
      this.#runningPart = undefined;
      this.#succeeded(part, context, result, startedAt);
    } catch (error) {
      this.#runningPart = undefined;
      this.#prints.finish(context);
      this.#failed(part, index, error, now() - startedAt);
    }
  }

  #await(part: Part, context: ItemContext, result: PromiseLike<unknown>, startedAt: number): void {
    part.inFlight.add(context);
    this.#inFlight += 1;
    const settled = (): void => {
      this.#inFlight -= 1;
      part.inFlight.delete(context);
      if (this.#current.enteredContext === context) this.#current.leave();
    };
    // Not `await`: a promise of the task's own making may have a `then` that calls back twice.
    Promise.resolve(result).then(
      (value) => {
        settled();
        this.#succeeded(part, context, value, startedAt);
        this.#afterAwait();
      },
      (error: unknown) => {
        settled();
        this.#prints.finish(context);
        this.#failed(part, context.index, error, now() - startedAt);
        this.#afterAwait();
      },
    );
  }

  #succeeded(part: Part, context: ItemContext, value: unknown, startedAt: number): void {
    this.#prints.finish(context);
    const time = now();
    part.results.add(context.index, value);
    part.results.runMs += time - startedAt;
    if (part.results.isFull || part.spec.marksStarts || time - startedAt >= batchMs) {
      part.results.flush();
      this.#checkMemory(time);
    } else this.#flushLater();
  }

  #afterAwait(): void {
    // A chain of promises that are settled already would never let the event loop have its turn.
    if (now() - this.#turnStartedAt > turnMs) this.#turnLater();
    else this.#pump();
  }

  #flushLater(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    setImmediate(() => {
      this.#isFlushDue = false;
      for (const part of this.#parts) part.results.flush();
    });
  }

  #failed(part: Part, index: number, error: unknown, ms: number): void {
    const { encoding } = part.task.spec;
    const data = withoutOurFrames(describeThrown(error));
    const message: ItemFailedMessage = {
      chunk: part.spec.chunk,
      index,
      code: 'ITEM_THREW',
      retryable: part.task.isRetryable(error),
      ms,
      summary: summarize(data),
    };
    this.#prints.flush();
    this.#channel.message(frameType.itemFailed, message, encodeError(encoding, data));
  }

  /** A result that cannot leave: an error of its item, which would fail the same way again. */
  refused(chunk: number, encoding: 'v8' | 'json' | 'bytes'): ItemRefused {
    return (index, code, message, facts) => {
      const summary = message.slice(0, 1_000);
      const failed: ItemFailedMessage = { chunk, index, code, retryable: false, ms: 0, summary };
      const data = { name: 'ShoalError', message, code, fields: facts };
      this.#channel.message(frameType.itemFailed, failed, encodeError(encoding, data));
    };
  }

  #endPart(part: Part): void {
    part.results.flush();
    this.#prints.flush();
    this.#parts.splice(this.#parts.indexOf(part), 1);
    this.#checkMemory(now());
    const message: PartEndedMessage = {
      chunk: part.spec.chunk,
      next: Math.min(part.next, part.end),
      isSpent: this.#isSpent,
      rssBytes: this.#rssBytes,
    };
    this.#channel.message(frameType.partEnded, message);
  }

  #refusePart(part: Part): void {
    this.#parts.splice(this.#parts.indexOf(part), 1);
    const unloadable = part.task.unloadable;
    const error = unloadable?.error === undefined ? undefined : encodeError('v8', unloadable.error);
    const message = { chunk: part.spec.chunk, code: unloadable?.code, facts: unloadable?.facts };
    this.#channel.message(frameType.taskUnloadable, message, error);
  }

  #checkMemory(time: number): void {
    const isLimited = this.#maxRssBytes !== Number.POSITIVE_INFINITY;
    if (time - this.#memoryCheckedAt < (isLimited ? memoryCheckMs : memoryCheckMs * 100)) return;
    this.#memoryCheckedAt = time;
    this.#rssBytes = rssBytes();
    if (this.#rssBytes <= this.#maxRssBytes) return;
    this.#isSpent = true;
    for (const part of this.#parts) part.isStopped = true;
  }
}

/** A stack ends where the user's function was called. */
function withoutOurFrames(data: RemoteErrorData): RemoteErrorData {
  const lines = data.stack?.split('\n') ?? [];
  const at = lines.findIndex((line) => line.includes(import.meta.url));
  return at === -1 ? data : { ...data, stack: lines.slice(0, at).join('\n') };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}
