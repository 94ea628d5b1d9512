import { durationText, PoolTerminatedError, TimeoutError } from '@shoal/errors';
import type { FailedOutcome } from '../job-backend.ts';
import type { NextOptions, ResultStream, Settled } from '../map-pool.ts';
import { checkWaitOptions } from '../options/option-table.ts';
import type { ValueList } from '../values/number-list.ts';
import { CallSite } from './call-site.ts';
import { decodeRun, type Run, UnreadableRun } from './decoded-values.ts';
import type { DrainedStream } from './drain-watch.ts';
import type { GivenPromises } from './given-promises.ts';
import { type ErrorSetting, itemErrorOf } from './item-error.ts';
import type { JobEnd, OutcomeConsumer } from './job-run.ts';
import type { KeepAlive } from './keep-alive.ts';

/** The job behind a stream. */
export interface StreamedJob {
  took(count: number, drained: boolean): void;
  unreadable(count: number): void;
  cancel(reason: string): Promise<void>;
  abort(error: unknown, reason: string): void;
  /** Every item that was pulled has its outcome, and no other is pulled before the consumer takes some. */
  readonly waitsForConsumer: boolean;
}

/** What a stream needs to know of its job. */
export interface StreamSetting extends ErrorSetting {
  readonly settled: boolean;
  readonly failFast: boolean;
}

interface DeliveredRun {
  readonly run: Run;
  /** Decoded when the consumer comes to it: what waits stays small. */
  values: ValueList | UnreadableRun | undefined;
}

type Delivered = DeliveredRun | FailedOutcome;

type Step = IteratorResult<unknown, undefined>;

interface Waiter {
  readonly resolve: (step: Step) => void;
  readonly reject: (error: unknown) => void;
  timer: NodeJS.Timeout | undefined;
}

/** Outcomes between a job that delivers them and a consumer that asks for them one by one. */
export class OutcomeQueue implements OutcomeConsumer, DrainedStream {
  readonly #keepAlive: KeepAlive;
  readonly #given: GivenPromises;
  readonly #rejected: (error: unknown) => Promise<never>;
  #setting: StreamSetting | undefined;
  #job: StreamedJob | undefined;
  #delivered: Delivered[] = [];
  /** How many values of the first entry were taken. */
  #takenOfFirst = 0;
  readonly #waiters: Waiter[] = [];
  #end: JobEnd | undefined;
  #dropped = false;
  /** Somebody has asked for something, since the block of its pool was left if that has happened. */
  #isRead = false;

  /** `given`: the pool's. `rejected` tells of what ended the job, when the time for it has come. */
  constructor(keepAlive: KeepAlive, given: GivenPromises, rejected: (error: unknown) => Promise<never>) {
    this.#keepAlive = keepAlive;
    this.#given = given;
    this.#rejected = rejected;
  }

  /** The job is about to start. False: nobody wants it any more. */
  stream(job: StreamedJob, setting: StreamSetting): boolean {
    this.#job = job;
    this.#setting = setting;
    return this.#end === undefined;
  }

  // -- as the job's consumer ---------------------------------------------------------------------------------

  values(run: Run): void {
    this.#delivered.push({ run, values: undefined });
    this.#serve();
  }

  failed(outcome: FailedOutcome): void {
    if (this.#end !== undefined) return;
    this.#delivered.push(outcome);
    this.#failFast();
    this.#serve();
  }

  ended(end: JobEnd): void {
    this.#end ??= end;
    this.#serve();
  }

  // -- as the consumer's stream ------------------------------------------------------------------------------

  next(timeoutMs: number | undefined): Promise<Step> {
    this.#isRead = true;
    // Those who asked before come first.
    if (this.#waiters.length === 0) {
      const outcome = this.#take();
      if (outcome !== undefined) return outcome;
    }
    // Given from now until it has settled, which is some microtasks after it was served.
    const { promise, resolve, reject } = this.#given.open<Step>();
    const waiter: Waiter = { resolve, reject, timer: undefined };
    if (timeoutMs !== undefined) {
      const site = new CallSite(OutcomeStream.prototype.next);
      waiter.timer = setTimeout(() => this.#timeOut(waiter, timeoutMs, site), timeoutMs);
    }
    this.#waiters.push(waiter);
    this.#keepAlive.hold();
    return promise;
  }

  /** A next() that asks for what there is not. */
  refused(error: unknown): Promise<never> {
    return this.#given.giveRejected(error);
  }

  return(): Promise<Step> {
    const close = async (): Promise<Step> => {
      const job = this.#job;
      this.#delivered = [];
      this.#end = { kind: 'completed' };
      this.#serve();
      await job?.cancel('its stream was closed');
      return { done: true, value: undefined };
    };
    return this.#given.give(close());
  }

  /** The stream was dropped unread: once those who wait have their answers, nobody can take anything of it any more. */
  dropped(): void {
    this.#dropped = true;
    if (this.#waiters.length === 0) this.#job?.cancel('its stream was dropped').catch(() => {});
  }

  // -- as a disposal sees it ---------------------------------------------------------------------------------

  /**
   * The block of its pool is left. Who waits now may have been in it, and ask no more: a reader elsewhere does that again.
   */
  leave(): void {
    this.#isRead = false;
  }

  get isLeft(): boolean {
    return !this.#isRead && this.#job?.waitsForConsumer === true;
  }

  abandon(): void {
    this.#job?.abort(this.#setting?.site?.of(new PoolTerminatedError()), 'nobody reads its stream');
  }

  #serve(): void {
    for (let waiter = this.#waiters[0]; waiter !== undefined; waiter = this.#waiters[0]) {
      const outcome = this.#take();
      if (outcome === undefined) return;
      this.#forget(waiter);
      outcome.then(waiter.resolve, waiter.reject);
    }
  }

  #timeOut(waiter: Waiter, timeoutMs: number, site: CallSite): void {
    this.#forget(waiter);
    waiter.reject(site.of(new TimeoutError({ what: 'The next result', limit: durationText(timeoutMs) })));
  }

  #forget(waiter: Waiter): void {
    clearTimeout(waiter.timer);
    this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
    this.#keepAlive.release();
    if (this.#dropped) this.dropped();
  }

  /** What is next: a value, an error, the end; undefined while that is not known. */
  #take(): Promise<Step> | undefined {
    const head = this.#delivered[0];
    if (head === undefined) return this.#takeEnd();
    if ('code' in head) {
      this.#delivered.shift();
      return this.#takeFailure(head);
    }
    const { run } = head;
    head.values ??= decodeRun(run);
    const { values } = head;
    const at = this.#takenOfFirst++;
    const index = run.first + at;
    if (this.#takenOfFirst === run.count) {
      this.#delivered.shift();
      this.#takenOfFirst = 0;
    }
    if (values instanceof UnreadableRun) {
      // Found out only now; with failFast it is the last one that is told.
      this.#job?.unreadable(1);
      if (this.#setting?.failFast) this.#delivered = [];
      this.#failFast();
      return this.#takeFailure(values.outcome(index));
    }
    this.#took();
    const value = values[at];
    if (!this.#setting?.settled) return Promise.resolve({ done: false, value });
    const outcome: Settled<unknown> = { status: 'fulfilled', index, value };
    return Promise.resolve({ done: false, value: outcome });
  }

  #takeFailure(failure: FailedOutcome): Promise<Step> {
    const error = itemErrorOf(failure, this.#setting as StreamSetting);
    this.#took();
    if (!this.#setting?.settled) return this.#given.giveRejected(error);
    const outcome: Settled<unknown> = { status: 'rejected', index: failure.index, error };
    return Promise.resolve({ done: false, value: outcome });
  }

  #failFast(): void {
    if (!this.#setting?.failFast) return;
    this.#end = { kind: 'completed' };
    this.#job?.cancel('an item failed').catch(() => {});
  }

  #took(): void {
    this.#job?.took(1, this.#delivered.length === 0);
  }

  #takeEnd(): Promise<Step> | undefined {
    const end = this.#end;
    if (end === undefined) return undefined;
    // Said once; afterwards the stream is just over.
    this.#end = { kind: 'completed' };
    if (end.kind === 'completed') return Promise.resolve({ done: true, value: undefined });
    return this.#given.give(this.#rejected(end.error));
  }
}

const droppedStreams = new FinalizationRegistry<OutcomeQueue>((queue) => queue.dropped());

/**
 * The iterator that users hold. Written by hand: an async generator cannot go on after a throw.
 *
 * A separate object from the queue that its job feeds, so that it can be collected when its user drops it.
 */
export class OutcomeStream implements ResultStream<unknown> {
  readonly #queue: OutcomeQueue;

  constructor(queue: OutcomeQueue) {
    this.#queue = queue;
    droppedStreams.register(this, queue, queue);
  }

  next(options?: NextOptions): Promise<Step> {
    if (options === undefined) return this.#queue.next(undefined);
    let timeoutMs: number | undefined;
    try {
      ({ timeoutMs } = checkWaitOptions('next', options));
    } catch (error) {
      return this.#queue.refused(error);
    }
    return this.#queue.next(timeoutMs);
  }

  return(): Promise<Step> {
    droppedStreams.unregister(this.#queue);
    return this.#queue.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
