/** Items that return promises: followed across their awaits, several at once where the job allows it. */
import { now } from './clock.ts';
import { type CurrentItem, ItemContext } from './current-item.ts';
import { endStacksAt, type ItemReports } from './item-reports.ts';
import type { Part } from './part.ts';
import type { PrintCapture } from './print-capture.ts';
import type { TaskFunction } from './task-loader.ts';

/** What else there is to be done when an item has settled. */
export interface AwaitedItemsListener {
  /** Its result is in the part's batch, and has to leave now or with the others that settle in this turn. */
  succeeded(part: Part, atMs: number, ms: number): void;
  /** One place is free. */
  settled(): void;
}

// Taken before any task runs, for a task may put something else in their places.
const promised: typeof Promise.resolve = Promise.resolve.bind(Promise);
const { call } = Function.prototype;
const addTo: (set: Set<ItemContext>, item: ItemContext) => void = call.bind(Set.prototype.add) as never;
const removeFrom: (set: Set<ItemContext>, item: ItemContext) => void = call.bind(
  Set.prototype.delete,
) as never;
const whenSettled: <T>(
  promise: Promise<T>,
  done: (value: T) => void,
  failed: (error: unknown) => void,
) => void = call.bind(Promise.prototype.then) as never;
endStacksAt(import.meta.url);

export class AwaitedItems {
  readonly #current: CurrentItem;
  readonly #prints: PrintCapture;
  readonly #reports: ItemReports;
  readonly #listener: AwaitedItemsListener;
  /** How many there are, of all parts together. */
  size = 0;
  /** The item whose function is being called right now: it has not got as far as its first await. */
  starting: { readonly part: Part; readonly index: number } | undefined;

  constructor(
    current: CurrentItem,
    prints: PrintCapture,
    reports: ItemReports,
    listener: AwaitedItemsListener,
  ) {
    this.#current = current;
    this.#prints = prints;
    this.#reports = reports;
    this.#listener = listener;
  }

  /** Start an item whose work is followed. It may be done at once. */
  start(part: Part, run: TaskFunction, index: number): void {
    const context = new ItemContext(index, part.context);
    const startedAt = now();
    this.starting = { part, index };
    try {
      const item = part.items.take(index);
      const { spread } = part.task.spec;
      const result = this.#current.follow(context, () => (spread ? run(...(item as unknown[])) : run(item)));
      this.starting = undefined;
      if (isThenable(result)) this.await(part, context, result, startedAt);
      else this.#succeeded(part, context, result, startedAt);
    } catch (error) {
      this.starting = undefined;
      this.#threw(part, context, error, startedAt);
    }
  }

  /** The item has returned a promise. */
  await(part: Part, context: ItemContext, result: PromiseLike<unknown>, startedAt: number): void {
    addTo(part.inFlight, context);
    this.size += 1;
    const settled = (): void => {
      this.size -= 1;
      removeFrom(part.inFlight, context);
      if (this.#current.enteredContext === context) this.#current.leave();
    };
    // Not `await`: a promise of the task's own making may have a `then` that calls back twice.
    whenSettled(
      promised(result),
      (value) => {
        settled();
        this.#succeeded(part, context, value, startedAt);
        this.#listener.settled();
      },
      (error: unknown) => {
        settled();
        this.#threw(part, context, error, startedAt);
        this.#listener.settled();
      },
    );
  }

  #succeeded(part: Part, context: ItemContext, value: unknown, startedAt: number): void {
    this.#prints.finish(context);
    const time = now();
    part.results.add(context.index, value);
    part.results.runMs += time - startedAt;
    this.#listener.succeeded(part, time, time - startedAt);
  }

  #threw(part: Part, context: ItemContext, error: unknown, startedAt: number): void {
    this.#prints.finish(context);
    this.#reports.threw(part, context.index, error, now() - startedAt);
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}
