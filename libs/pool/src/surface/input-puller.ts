import { types } from 'node:util';
import type { Items } from '../map-pool.ts';
import { wrongType } from '../options/option-checks.ts';

/** Who takes the items of an {@link InputPuller}. */
export interface ItemReceiver {
  /** How many items may be pulled now. */
  room(): number;
  item(value: unknown): void;
  /**
   * The elements `from` … `until - 1`, or as many of them as it takes at a time, one at least; says where it stopped.
   * Throws what reading them throws, and has taken none of them then.
   */
  itemsOf(list: readonly unknown[], from: number, until: number): number;
  /** Nothing more comes for a while: what was gathered should go on its way. */
  flush(): void;
  /** The input is over; `failure` holds what it threw, if it threw. */
  inputEnded(failure: { readonly error: unknown } | undefined): void;
}

// Pulling stops for the event loop after this long: results come in meanwhile, and a slow input is not held up.
const sliceMs = 10;
// What is pushed leaves when the event loop has its turn: an array is not pushed whole before its first item starts. Each
// time more, for on a busy machine a turn of the event loop is when others are given the processor.
const firstSliceMs = 2;

/** How long whoever ends a stream waits, at most, for an input to close what it has open: that may hang, as all I/O. */
const inputReturnMs = 1_000;

/** Waits for a promise, for so long at most; then it goes on by itself, and what it rejects with is nobody's any more. */
async function withinMs(promise: unknown, ms: number): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, ms);
  try {
    await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** How many items an input has, where it can say so beforehand. */
export function knownLength(items: Items<unknown>): number | undefined {
  return Array.isArray(items) ? items.length : undefined;
}

/** Throws a TypeError if something cannot be iterated. */
export function checkItems(name: string, items: unknown): asserts items is Items<unknown> {
  const iterable =
    typeof items === 'string' ||
    (typeof items === 'object' &&
      items !== null &&
      (Symbol.iterator in items || Symbol.asyncIterator in items));
  if (!iterable) throw wrongType(name, 'iterable (an array, a generator, a stream)', items);
}

/** Pulls an input while there is room: an array, an iterable, or an async iterable, one item at a time. */
export interface InputPuller {
  /** There may be room again. Never throws. */
  pull(): void;
  /**
   * Nothing more is wanted. Resolves when the input's iterator has returned, or after a second; rejects with what it throws
   * meanwhile.
   */
  stop(): Promise<void>;
}

/** The puller for an input. Throws what the input throws when it is asked for its iterator. */
export function pullerOf(items: Items<unknown>, receiver: ItemReceiver): InputPuller {
  if (Array.isArray(items)) return new ArrayPuller(items, receiver);
  if (Symbol.asyncIterator in Object(items)) {
    const iterator = (items as AsyncIterable<unknown>)[Symbol.asyncIterator]();
    return new AsyncPuller(checkedIterator(iterator), receiver);
  }
  return new SyncPuller(checkedIterator((items as Iterable<unknown>)[Symbol.iterator]()), receiver);
}

/** Throws a TypeError for an iterator, maybe written by hand, that has no `next()`. */
function checkedIterator<I extends Iterator<unknown> | AsyncIterator<unknown>>(iterator: I): I {
  // Null and undefined have no fields to ask for.
  if (typeof (iterator as I | null | undefined)?.next === 'function') return iterator;
  throw new TypeError('The iterator of the items has no next().');
}

/**
 * Whether an iterator is over, as `for … of` reads what `next()` gave. Called where what it throws is the input's own
 * error: a `next()` written by hand may give nothing at all, or a getter that throws.
 */
function isLast(step: IteratorResult<unknown> | null | undefined): boolean {
  if (typeof step === 'object' ? step === null : typeof step !== 'function') {
    throw new TypeError(`next() of the items gave ${String(step)}, which is no iterator result.`);
  }
  return Boolean((step as IteratorResult<unknown>).done);
}

/** Whether nothing of the user's runs when parts of it are copied, but for getters that are its elements. */
export function isPlainArray(items: Items<unknown>): items is readonly unknown[] {
  return (
    Array.isArray(items) &&
    Object.getPrototypeOf(items) === Array.prototype &&
    !Object.hasOwn(items, 'constructor') &&
    !types.isProxy(items)
  );
}

/** Longer than this no copy of an array is made in the call: it would take a quarter of a second. */
const copiedItemsMax = 2 ** 25;

/**
 * The items of a call as they are now. An array is copied, for it is read as the job goes, and who calls may fill or empty it
 * meanwhile. Others are read as they come: an array that is very long, or whose elements are the user's code, and iterators.
 */
export function asItIs(items: Items<unknown>): Items<unknown> {
  if (!isPlainArray(items) || items.length > copiedItemsMax) return items;
  try {
    return Array.prototype.slice.call(items);
  } catch {
    // An element is a getter that throws: those before it are mapped, and it ends the input.
    return items;
  }
}

/** An array: its length counts as it was when the job began, and it has to stay as long. */
class ArrayPuller implements InputPuller {
  readonly #items: readonly unknown[];
  readonly #receiver: ItemReceiver;
  readonly #count: number;
  /** Parts of it can be copied. */
  #isPlain: boolean;
  #next = 0;
  #sliceMs = firstSliceMs;
  #isResting = false;
  #over = false;

  constructor(items: readonly unknown[], receiver: ItemReceiver) {
    this.#items = items;
    this.#receiver = receiver;
    this.#count = items.length;
    this.#isPlain = isPlainArray(items);
  }

  pull(): void {
    if (this.#isResting || this.#over) return;
    const receiver = this.#receiver;
    const restsAtMs = performance.now() + this.#sliceMs;
    let isFirst = true;
    // Looked at again after each round: what was pushed may have been taken meanwhile.
    for (let room = receiver.room(); room > 0 && this.#next < this.#count; room = receiver.room()) {
      if (!isFirst && performance.now() >= restsAtMs) {
        this.#rest();
        return;
      }
      isFirst = false;
      try {
        this.#checkLength();
        this.#take(Math.min(this.#count, this.#next + room));
      } catch (error) {
        // An array may be a Proxy or have getters.
        this.#end({ error });
        return;
      }
      if (this.#over) return;
    }
    if (this.#next === this.#count) this.#end(undefined);
    else receiver.flush();
  }

  #checkLength(): void {
    const { length } = this.#items;
    if (length >= this.#count) return;
    throw new RangeError(`The array of the items has got shorter meanwhile: ${length} of ${this.#count}.`);
  }

  #take(until: number): void {
    if (this.#isPlain) {
      try {
        this.#next = this.#receiver.itemsOf(this.#items, this.#next, until);
        return;
      } catch {
        // An element is a getter that throws: one by one, so that those before it are not lost.
        this.#isPlain = false;
      }
    }
    while (this.#next < until && !this.#over) this.#receiver.item(this.#items[this.#next++]);
  }

  /** What was pushed leaves, and what has come back is taken, before more is pushed. */
  #rest(): void {
    this.#isResting = true;
    this.#sliceMs = Math.min(2 * this.#sliceMs, sliceMs);
    setImmediate(() => {
      this.#isResting = false;
      this.pull();
    });
  }

  stop(): Promise<void> {
    this.#over = true;
    return Promise.resolve();
  }

  #end(failure: { readonly error: unknown } | undefined): void {
    this.#over = true;
    this.#receiver.flush();
    this.#receiver.inputEnded(failure);
  }
}

class SyncPuller implements InputPuller {
  readonly #iterator: Iterator<unknown>;
  readonly #receiver: ItemReceiver;
  #state: 'ready' | 'pulling' | 'resting' | 'over' = 'ready';

  constructor(iterator: Iterator<unknown>, receiver: ItemReceiver) {
    this.#iterator = iterator;
    this.#receiver = receiver;
  }

  pull(): void {
    if (this.#state !== 'ready') return;
    this.#state = 'pulling';
    const sliceEndsAt = performance.now() + sliceMs;
    const receiver = this.#receiver;
    while (receiver.room() > 0) {
      let value: unknown;
      let done: boolean;
      try {
        const step = this.#iterator.next();
        done = isLast(step);
        if (!done) value = step.value;
      } catch (error) {
        this.#end({ error });
        return;
      }
      if (this.#isOver()) return;
      if (done) {
        this.#end(undefined);
        return;
      }
      receiver.item(value);
      if (this.#isOver()) return;
      if (performance.now() > sliceEndsAt) {
        this.#state = 'resting';
        setImmediate(() => {
          if (this.#isOver()) return;
          this.#state = 'ready';
          this.pull();
        });
        break;
      }
    }
    receiver.flush();
    if (this.#state === 'pulling') this.#state = 'ready';
  }

  async stop(): Promise<void> {
    if (this.#state === 'over') return;
    // Called from within next(): the generator runs and cannot return; it is not asked for more.
    this.#state = 'over';
    this.#iterator.return?.();
  }

  // A method, for the state changes while the input's own code runs, which the compiler cannot see.
  #isOver(): boolean {
    return this.#state === 'over';
  }

  #end(failure: { readonly error: unknown } | undefined): void {
    if (this.#isOver()) return;
    this.#state = 'over';
    this.#receiver.flush();
    this.#receiver.inputEnded(failure);
  }
}

class AsyncPuller implements InputPuller {
  readonly #iterator: AsyncIterator<unknown>;
  readonly #receiver: ItemReceiver;
  #state: 'ready' | 'pulling' | 'over' = 'ready';
  #awaitsNext = false;
  #flushScheduled = false;

  constructor(iterator: AsyncIterator<unknown>, receiver: ItemReceiver) {
    this.#iterator = iterator;
    this.#receiver = receiver;
  }

  pull(): void {
    if (this.#state !== 'ready' || this.#receiver.room() <= 0) return;
    this.#state = 'pulling';
    void this.#pullWhileRoom();
  }

  async stop(): Promise<void> {
    if (this.#state === 'over') return;
    this.#state = 'over';
    const returned = this.#iterator.return?.();
    // An async generator answers return() only after a pending next(), which may be never.
    if (!this.#awaitsNext) await withinMs(returned, inputReturnMs);
    else Promise.resolve(returned).catch(() => {});
  }

  async #pullWhileRoom(): Promise<void> {
    let sliceEndsAt = performance.now() + sliceMs;
    for (;;) {
      if (this.#receiver.room() <= 0) {
        this.#receiver.flush();
        // What was flushed may have made room at once, and pull() did nothing while we were here.
        if (this.#isOver()) return;
        if (this.#receiver.room() <= 0) break;
      }
      let value: unknown;
      let done: boolean;
      try {
        this.#awaitsNext = true;
        const step = await this.#iterator.next();
        done = isLast(step);
        if (!done) value = step.value;
      } catch (error) {
        return this.#end({ error });
      } finally {
        this.#awaitsNext = false;
      }
      // Looked at again after the await: stop() may have run.
      if (this.#isOver()) return;
      if (done) return this.#end(undefined);
      this.#receiver.item(value);
      this.#flushSoon();
      // An input that never really waits would keep the event loop for itself.
      if (performance.now() > sliceEndsAt) {
        await new Promise(setImmediate);
        sliceEndsAt = performance.now() + sliceMs;
      }
      if (this.#isOver()) return;
    }
    this.#state = 'ready';
  }

  /** Items of an input that waits now must not wait with it; those that come in one turn of the loop go together. */
  #flushSoon(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      if (!this.#isOver()) this.#receiver.flush();
    });
  }

  #isOver(): boolean {
    return this.#state === 'over';
  }

  #end(failure: { readonly error: unknown } | undefined): void {
    if (this.#isOver()) return;
    this.#state = 'over';
    this.#receiver.flush();
    this.#receiver.inputEnded(failure);
  }
}
