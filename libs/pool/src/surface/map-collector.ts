import { countText } from '@shoal/errors';
import type { FailedOutcome } from '../job-backend.ts';
import type { Settled } from '../map-pool.ts';
import type { ValueList } from '../values/number-list.ts';
import { decodeRun, type Run, UnreadableRun } from './decoded-values.ts';
import { type ErrorSetting, itemErrorOf } from './item-error.ts';
import type { JobEnd, OutcomeConsumer } from './job-run.ts';

/** What both collectors need of the job that they collect. */
export interface CollectedJob {
  took(count: number, drained: boolean): void;
  unreadable(count: number): void;
  cancel(reason: string): Promise<void>;
  abort(error: unknown, reason: string): void;
}

/** A consumer that gathers all outcomes of its job into one promise. */
export interface Collector<R> extends OutcomeConsumer {
  readonly promise: Promise<R[]>;
  /** The job is about to start. */
  collect(job: CollectedJob): void;
}

/** What both need to know of it. */
export interface CollectorSetting extends ErrorSetting {
  readonly failFast: boolean;
}

/** What a {@link MapCollector} needs to know besides. */
export interface MapSetting extends CollectorSetting {
  readonly totalItems?: number;
}

// Longer arrays are made sparse by the engine, and slow.
const roomMax = 2 ** 25;

/** Collects the values of `map`, in the order of the items; rejects for the lowest index that failed. */
export class MapCollector implements Collector<unknown> {
  readonly promise: Promise<unknown[]>;
  readonly #setting: MapSetting;
  readonly #settle: PromiseWithResolvers<unknown[]>;
  /** Made for the first of them: until they come, their processes wait for what the caller does. */
  #results: unknown[] | undefined;
  #job: CollectedJob | undefined;
  #lowest: FailedOutcome | undefined;
  #succeeded = 0;

  constructor(setting: MapSetting) {
    this.#setting = setting;
    this.#settle = Promise.withResolvers();
    this.promise = this.#settle.promise;
  }

  collect(job: CollectedJob): void {
    this.#job = job;
  }

  values(run: Run): void {
    const values = readValues(run, this, this.#job);
    if (values === undefined) return;
    const { first, count } = run;
    this.#results ??= this.#roomForAll();
    fillTo(this.#results, first);
    copyInto(this.#results, first, values, count);
    this.#succeeded += count;
    this.#job?.took(count, true);
  }

  failed(outcome: FailedOutcome): void {
    if (this.#lowest === undefined || outcome.index < this.#lowest.index) this.#lowest = outcome;
    if (this.#setting.failFast) this.#job?.abort(itemErrorOf(outcome, this.#setting), 'an item failed');
    else this.#job?.took(1, true);
  }

  ended(end: JobEnd): void {
    const { resolve, reject } = this.#settle;
    if (end.kind === 'stopped') {
      reject(end.error);
      return;
    }
    if (this.#lowest !== undefined) {
      // Lower than the place where the input failed, if it did: a loop would have met this one first.
      const inputFailure = end.kind === 'inputFailed' ? end : undefined;
      const others = othersText(this.#succeeded);
      reject(itemErrorOf(this.#lowest, this.#setting, { others, inputFailure }));
      return;
    }
    if (end.kind === 'inputFailed') {
      reject(end.error);
      return;
    }
    resolve(this.#results ?? []);
  }

  /** All at once where it can be one piece of memory: growing copies what is there, time and again. */
  #roomForAll(): unknown[] {
    const { totalItems = 0 } = this.#setting;
    return totalItems <= roomMax ? new Array(totalItems) : [];
  }
}

/** Collects what `mapSettled` resolves to. */
export class SettledCollector implements Collector<Settled<unknown>> {
  readonly promise: Promise<Settled<unknown>[]>;
  readonly #setting: CollectorSetting;
  readonly #settle: PromiseWithResolvers<Settled<unknown>[]>;
  readonly #outcomes: (Settled<unknown> | undefined)[] = [];
  #job: CollectedJob | undefined;

  constructor(setting: CollectorSetting) {
    this.#setting = setting;
    this.#settle = Promise.withResolvers();
    this.promise = this.#settle.promise;
  }

  collect(job: CollectedJob): void {
    this.#job = job;
  }

  values(run: Run): void {
    const values = readValues(run, this, this.#job);
    if (values === undefined) {
      this.#failFast();
      return;
    }
    const { first, count } = run;
    fillTo(this.#outcomes, first);
    for (let i = 0; i < count; i++) {
      const index = first + i;
      this.#outcomes[index] = { status: 'fulfilled', index, value: values[i] };
    }
    this.#job?.took(count, true);
  }

  failed(outcome: FailedOutcome): void {
    const { index } = outcome;
    fillTo(this.#outcomes, index);
    this.#outcomes[index] = { status: 'rejected', index, error: itemErrorOf(outcome, this.#setting) };
    this.#job?.took(1, true);
  }

  ended(end: JobEnd): void {
    if (end.kind !== 'completed') this.#settle.reject(end.error);
    // After failFast some items have no outcome at all.
    else this.#settle.resolve(this.#outcomes.filter((outcome) => outcome !== undefined));
  }

  /** Who runs the items takes what cannot be read for results: the job ends here, with what is known by now. */
  #failFast(): void {
    if (!this.#setting.failFast) return;
    this.#job?.cancel('an item failed').catch(() => {});
    this.ended({ kind: 'completed' });
  }
}

/** Results come as they finish. What lies between is filled in later; an array without holes is the faster one. */
function fillTo(results: unknown[], length: number): void {
  while (results.length < length) results.push(undefined);
}

// A loop of its own, and small: the compiler has it ready after few items.
function copyInto(results: unknown[], first: number, values: ValueList, count: number): void {
  for (let at = 0; at < count; at++) results[first + at] = values[at];
}

/** The values of a run; undefined where they cannot be read: each of its items fails by itself, and the job goes on. */
function readValues(
  run: Run,
  consumer: OutcomeConsumer,
  job: CollectedJob | undefined,
): ValueList | undefined {
  const values = decodeRun(run);
  if (!(values instanceof UnreadableRun)) return values;
  const { first, count } = run;
  job?.unreadable(count);
  for (let index = first; index < first + count; index++) consumer.failed(values.outcome(index));
  return undefined;
}

function othersText(succeeded: number): string | undefined {
  if (succeeded === 0) return undefined;
  return succeeded === 1 ? '1 other succeeded.' : `${countText(succeeded)} others succeeded.`;
}
