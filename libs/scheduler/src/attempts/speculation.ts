import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Job } from '../jobs/job.ts';
import type { Turn } from '../jobs/turn.ts';
import type { SchedulerOptions } from '../options.ts';
import type { Attempt } from './attempt.ts';
import type { LeaseClock } from './leases.ts';

/**
 * Second attempts for the tail of a pure job.
 *
 * When a job has nothing left to hand out and slots are free, what lags goes to another agent too. Whoever finishes an
 * item first gives it its outcome; an attempt that has none left is taken back. Jobs are looked at now and then: a
 * straggler is late by a second or more, so a quarter of a second does not matter and nothing has to be kept in order.
 */
export class Speculation {
  /** Items that got a second attempt. */
  items = 0;
  readonly #options: SchedulerOptions;
  readonly #turn: Turn;
  readonly #clock: LeaseClock;
  readonly #dispatcher: Dispatcher;
  #due: Job[] = [];

  constructor(options: SchedulerOptions, turn: Turn, clock: LeaseClock, dispatcher: Dispatcher) {
    this.#options = options;
    this.#turn = turn;
    this.#clock = clock;
    this.#dispatcher = dispatcher;
  }

  /** Says when a job that changed is to be looked at. */
  plan(job: Job): void {
    if (!mayRunTwice(job)) return;
    const isOnItsWay = job.pushed > job.succeeded + job.failed;
    if (isOnItsWay) job.stragglersAtMs ??= this.#turn.nowMs + this.#options.stragglerCheckMs;
    else job.stragglersAtMs = undefined;
  }

  /** A job woke: it is looked at once everything else has been handed out, if it is time. */
  woken(job: Job): void {
    if (job.stragglersAtMs === undefined || job.stragglersAtMs > this.#turn.nowMs) return;
    job.stragglersAtMs = undefined;
    this.#due.push(job);
  }

  /** Copies what lags of the jobs that are due, as far as slots are free. */
  run(): void {
    const due = this.#due;
    if (due.length === 0) return;
    this.#due = [];
    for (const job of due) {
      if (job.ending !== undefined || job.pausedByConsumer || job.pending.ready > 0) continue;
      for (const attempt of job.attempts) {
        // In the order in which they were handed out: the oldest one lags most.
        if (this.#lags(attempt) && !this.#copy(attempt)) break;
      }
    }
  }

  #lags(attempt: Attempt): boolean {
    if (!attempt.counts || attempt.original !== undefined || attempt.open.size === 0) return false;
    const { stragglerFactor, stragglerMsMin } = this.#options;
    const ranMs = this.#clock.nowMs - attempt.startedMs;
    if (ranMs < stragglerMsMin) return false;
    const expectedMs = attempt.job.sharding.expectedMs(attempt.count);
    return expectedMs !== undefined && ranMs >= stragglerFactor * expectedMs;
  }

  /** Gives the open items of an attempt to other slots. False: no slot is free for them. */
  #copy(attempt: Attempt): boolean {
    const { job } = attempt;
    const { lane } = job.line;
    // Another machine if there is one: whatever makes this one slow would do so again.
    const avoid = lane.hasOtherThan(attempt.agent) ? attempt.agent : undefined;
    for (const open of attempt.open.ranges()) {
      for (const { history, ...range } of attempt.histories.of(open)) {
        // A suspect runs alone: with two of it, a death could not be laid to one of them.
        if (history.copied || history.alone) continue;
        const agent = lane.free.pick(false, avoid);
        if (agent === undefined || !job.group.mayUse(agent)) return lane.free.pick(false) !== undefined;
        const shard = { ...range, history: { ...history, copied: true } };
        attempt.histories.set(shard);
        this.items += range.count;
        job.speculated += range.count;
        this.#turn.emit({
          type: 'note',
          note: {
            what: 'itemsSpeculated',
            job: job.id,
            items: range.count,
            straggler: attempt.agent.name,
            agent: agent.name,
          },
        });
        this.#dispatcher.start(job, agent, shard, this.#options.shardsPerSlot, attempt);
      }
    }
    return true;
  }
}

/** A function without side effects, unless its caller wants each item to run once at most all the same. */
function mayRunTwice({ spec: { pure, retries } }: Job): boolean {
  return pure && (retries.crash > 0 || retries.lost > 0);
}
