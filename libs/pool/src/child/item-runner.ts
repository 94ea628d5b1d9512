/**
 * Runs items. Synchronous functions run in a tight loop, without a promise, a timer or an object per item; a function
 * that returns a promise is awaited, several at once where the job allows it. Between items the event loop gets its
 * turn now and then, so that aborts and further parts arrive.
 */

import { AwaitedItems } from './awaited-items.ts';
import type { Channel } from './channel.ts';
import { now } from './clock.ts';
import { type CurrentItem, ItemContext } from './current-item.ts';
import { ItemReports } from './item-reports.ts';
import { MemoryWatch } from './memory-watch.ts';
import type { AbortMessage, ExitingMessage } from './message.ts';
import type { Part } from './part.ts';
import { patienceMs } from './patience.ts';
import type { PrintCapture } from './print-capture.ts';
import { runStretch } from './stretch.ts';
import type { TaskFunction } from './task-loader.ts';
import { Turn } from './turn.ts';

/** So often it is looked whether results have to leave, in ms; an item that is awaited for longer goes at once. */
const lookMs = 5;

const { setImmediate } = globalThis;

export class ItemRunner {
  readonly memory: MemoryWatch = new MemoryWatch();
  readonly reports: ItemReports;
  readonly #channel: Channel;
  readonly #current: CurrentItem;
  readonly #prints: PrintCapture;
  readonly #awaited: AwaitedItems;
  readonly #turn: Turn = new Turn(() => this.#pump());
  readonly #parts: Part[] = [];
  /** Takes no further item: too big, or told to stop. */
  #isSpent = false;
  /** Whose synchronous item runs right now: the one before its next. */
  #runningPart: Part | undefined;
  #isPumping = false;
  #isFlushDue = false;
  #whenIdle: (() => void) | undefined;

  constructor(channel: Channel, current: CurrentItem, prints: PrintCapture) {
    this.#channel = channel;
    this.#current = current;
    this.#prints = prints;
    this.reports = new ItemReports(channel, prints);
    this.#awaited = new AwaitedItems(current, prints, this.reports, {
      succeeded: (part, atMs, ms) => this.#awaitedSucceeded(part, atMs, ms),
      settled: () => this.#awaitedSettled(),
    });
    channel.onDrain = () => this.#turn.begin();
  }

  add(part: Part): void {
    part.isStopped = this.#isSpent;
    this.#parts[this.#parts.length] = part;
    if (!part.task.isLoaded) part.task.whenLoaded(() => this.#turn.begin());
    this.#turn.later();
  }

  abort({ chunk, reason, index }: AbortMessage): void {
    const part = this.#parts.find((candidate) => candidate.spec.chunk === chunk);
    if (part === undefined) return;
    part.isStopped = true;
    this.#turn.later();
    if (reason === 'recalled') return;
    const error =
      reason === 'timedOut'
        ? new DOMException('The item ran longer than timeoutMs.', 'TimeoutError')
        : new DOMException('The job was cancelled.', 'AbortError');
    for (const item of part.inFlight) {
      // Those beside an item that ran too long are innocent: a signal would make them fail for good.
      if (index === undefined || item.index === index) item.abort(error);
    }
  }

  /** Start no further item. */
  stop(): void {
    this.#spend();
    this.#turn.later();
  }

  #spend(): void {
    this.#isSpent = true;
    for (let at = 0; at < this.#parts.length; at++) (this.#parts[at] as Part).isStopped = true;
  }

  /** Call back once nothing is left to do. */
  whenIdle(then: () => void): void {
    this.#whenIdle = then;
    this.#turn.later();
  }

  /** For the last words of the process: send what is done, and say what was running. */
  lastWords(): ExitingMessage {
    const running: { chunk: number; index: number }[] = [];
    for (const part of this.#parts) {
      part.results.flush();
      for (const item of part.inFlight) running.push({ chunk: part.spec.chunk, index: item.index });
    }
    const part = this.#runningPart;
    if (part !== undefined) running.push({ chunk: part.spec.chunk, index: part.next - 1 });
    const { starting } = this.#awaited;
    if (starting !== undefined) running.push({ chunk: starting.part.spec.chunk, index: starting.index });
    return { running };
  }

  /** Start whatever can start now. */
  #pump(): void {
    // A task that settles synchronously inside its own start must not start the next one on top of it.
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      // Each round has started or ended all that is left of a part.
      while (this.#pumpOnce()) {
        if (!this.#turn.isOver) continue;
        this.#turn.later();
        break;
      }
    } finally {
      this.#channel.uncork();
      this.#isPumping = false;
    }
  }

  #pumpOnce(): boolean {
    // Also one that is behind others: it was called back, and somebody waits for it.
    const over = this.#first((part) => part.isExhausted && part.inFlight.size === 0);
    if (over !== undefined) {
      this.#endPart(over);
      return true;
    }
    const part = this.#first(({ isExhausted }) => !isExhausted);
    if (part === undefined) {
      if (this.#parts.length === 0) this.#idle();
      return false;
    }
    if (!part.task.isLoaded || this.#channel.isBacklogged) return false;
    const run = part.task.run;
    if (run === undefined) {
      this.#refusePart(part);
      return true;
    }
    if (this.#awaited.size >= part.spec.concurrentTasks) return false;
    this.#begin(part);
    if (this.#channel.isBacklogged) return false;
    this.#startItems(part, run);
    // What it left of the process's calls in flight is for the part behind it.
    return part.isExhausted;
  }

  /** That it begins, and how the part before it ended, has to be known before an item can do any harm. */
  #begin(part: Part): void {
    if (!part.hasBegun) {
      part.hasBegun = true;
      this.#channel.cork();
      this.reports.began(part);
    }
    // What takes its time is followed by somebody: it is said, not noted.
    if (isFollowed(part) || part.spec.marksStarts) this.#channel.uncork();
    else this.#channel.note();
  }

  #idle(): void {
    const then = this.#whenIdle;
    this.#whenIdle = undefined;
    then?.();
  }

  /** Leaves when the part is exhausted, something has to be awaited, or others want a turn. */
  #startItems(part: Part, run: TaskFunction): void {
    if (isFollowed(part)) this.#startFollowed(part, run);
    else this.#runItems(part, run);
  }

  #startFollowed(part: Part, run: TaskFunction): void {
    while (!part.isExhausted) {
      if (!this.#markStart(part)) return;
      const index = part.next;
      part.next = index + 1;
      this.#awaited.start(part, run, index);
      if (this.#awaited.size >= part.spec.concurrentTasks || this.#channel.isBacklogged) return;
      if (this.#turn.isOver) {
        this.#turn.later();
        return;
      }
    }
  }

  #runItems(part: Part, run: TaskFunction): void {
    const { results, task } = part;
    const { marksStarts } = part.spec;
    let clock = now();
    if (results.isEmpty) results.openedAtMs = clock;
    task.beganAtMs ??= clock;
    let lookAtMs = clock + lookMs;
    while (!part.isExhausted) {
      if (!this.#markStart(part)) return;
      const promise = this.#runStretch(part, run, marksStarts ? part.next + 1 : part.end, clock);
      if (promise !== undefined) {
        // From the next one on it is known beforehand.
        task.isAsync = true;
        // What is done must not wait for it.
        results.flush();
        const context = this.#current.entered() ?? new ItemContext(part.next - 1, part.context);
        this.#awaited.await(part, context, promise, clock);
        return;
      }
      const time = now();
      const ranMs = time - clock;
      results.runMs += ranMs;
      clock = time;
      if (time >= lookAtMs || results.isFull) {
        const waitMs = patienceMs(time - task.beganAtMs, ranMs);
        const isDue = results.isFull || time - results.openedAtMs >= waitMs;
        if (isDue) results.flush();
        this.#checkMemory(time);
        if (this.#channel.isBacklogged) return;
        clock = now();
        lookAtMs = clock + lookMs;
        if (isDue) results.openedAtMs = clock;
        if (this.#turn.isOver && part.next < part.end) {
          this.#turn.later();
          return;
        }
      }
    }
  }

  /** Until there is something to do besides running items. */
  #runStretch(part: Part, run: TaskFunction, until: number, clock: number): PromiseLike<unknown> | undefined {
    const current = this.#current;
    this.#runningPart = part;
    current.enter(part);
    try {
      const promise = runStretch(part, run, until, current);
      this.#runningPart = undefined;
      if (promise !== undefined) return promise;
    } catch (error) {
      this.#runningPart = undefined;
      // First, for its last line may lack its end.
      if (current.enteredContext !== undefined) this.#prints.finish(current.enteredContext);
      this.reports.threw(part, part.next - 1, error, now() - clock);
    }
    const context = current.enteredContext;
    current.leave();
    if (context !== undefined) this.#prints.finish(context);
    return undefined;
  }

  /** Where starts are marked. False: the next item must not start yet, for the mark has to be out before it can do any harm. */
  #markStart(part: Part): boolean {
    const { marksStarts, chunk } = part.spec;
    if (!marksStarts || part.marked === part.next) return true;
    part.results.flush();
    part.marked = part.next;
    this.#channel.send([this.#channel.writer.itemStarted(chunk, part.next)]);
    return !this.#channel.isBacklogged;
  }

  #awaitedSucceeded(part: Part, atMs: number, ms: number): void {
    if (part.results.isFull || part.spec.marksStarts || ms >= lookMs) {
      part.results.flush();
      this.#checkMemory(atMs);
    } else this.#flushLater();
  }

  #awaitedSettled(): void {
    // A chain of promises that are settled already would never let the event loop have its turn.
    if (this.#turn.isOver) this.#turn.later();
    else this.#pump();
  }

  #flushLater(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    setImmediate(() => {
      this.#isFlushDue = false;
      for (let at = 0; at < this.#parts.length; at++) this.#parts[at]?.results.flush();
    });
  }

  /** Its last words leave with the first ones of the next part, or at the end of the turn: one system call a part. */
  #endPart(part: Part): void {
    this.#remove(part);
    this.#channel.cork();
    part.results.flush();
    this.#checkMemory(now());
    this.reports.ended(part, this.#isSpent, this.memory.rssBytes);
  }

  #refusePart(part: Part): void {
    this.#remove(part);
    this.reports.unloadable(part);
  }

  // Without methods and iterators of arrays, which a task can replace: what it has returned would not leave any more.

  #first(isIt: (part: Part) => boolean): Part | undefined {
    for (let at = 0; at < this.#parts.length; at++) {
      const part = this.#parts[at] as Part;
      if (isIt(part)) return part;
    }
    return undefined;
  }

  #remove(part: Part): void {
    const parts = this.#parts;
    let at = 0;
    while (at < parts.length && parts[at] !== part) at++;
    if (at === parts.length) return;
    for (; at + 1 < parts.length; at++) parts[at] = parts[at + 1] as Part;
    parts.length -= 1;
  }

  #checkMemory(atMs: number): void {
    if (this.memory.check(atMs)) this.#spend();
  }
}

/** Its items are awaited, or several at once. */
function isFollowed({ spec, task }: Part): boolean {
  return task.isAsync || spec.concurrentTasks > 1;
}
