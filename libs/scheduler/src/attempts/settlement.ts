import type { AttemptEnding } from '../event.ts';
import type { Backoff } from '../fleet/backoff.ts';
import type { AttemptId, ItemRange } from '../identity.ts';
import type { Job } from '../jobs/job.ts';
import type { Turn } from '../jobs/turn.ts';
import type { SchedulerOptions } from '../options.ts';
import type { Attempt } from './attempt.ts';
import { asCharged, cleared, comeBack, type History, judge, whileTwinRuns } from './blame.ts';
import type { AttemptFact, FinalFailure, ItemFailure } from './failure.ts';
import { SharedDeath } from './shared-death.ts';

/** Totals that only ever grow. */
export interface SettlementTotals {
  itemsSucceeded: number;
  itemsFailed: number;
  itemsRetried: number;
  itemsRefused: number;
  speculationWins: number;
}

/** What is known of a failed try besides the failure itself. */
interface FailureTerms {
  /** The driver holds its error. */
  readonly withPayload?: boolean;
  /** The next try does not wait. */
  readonly atOnce?: boolean;
  /** The death that others are suspects of too. */
  readonly shared?: SharedDeath | undefined;
}

/**
 * What becomes of items that an attempt reports, or leaves behind.
 *
 * An item that is open in an attempt leaves it in exactly one way: to its outcome, or back to the pending items.
 */
export class Settlement {
  readonly totals: SettlementTotals = {
    itemsSucceeded: 0,
    itemsFailed: 0,
    itemsRetried: 0,
    itemsRefused: 0,
    speculationWins: 0,
  };
  readonly #options: SchedulerOptions;
  readonly #turn: Turn;
  readonly #backoff: Backoff;

  constructor(options: SchedulerOptions, turn: Turn, backoff: Backoff) {
    this.#options = options;
    this.#turn = turn;
    this.#backoff = backoff;
  }

  /** Values came in. Those of items that are open in the attempt are final; anything else came before or too late. */
  values(attempt: Attempt, first: number, count: number, bytes: number, runMs: number): void {
    const { job } = attempt;
    let accepted = 0;
    for (const range of attempt.open.take(first, count)) {
      accepted += range.count;
      job.running -= range.count;
      job.succeeded += range.count;
      this.#turn.emit({ type: 'keepResults', job: job.id, first: range.first, count: range.count });
      if (!attempt.isAlone) this.#claim(attempt, range);
      // The store keeps the whole run for any part of it.
      this.#settle(job, range.first, range.count, bytes);
    }
    if (attempt.isCopy) {
      // Had the straggler been first, they would not be open here.
      job.speculationWins += accepted;
      this.totals.speculationWins += accepted;
    }
    if (accepted > 0 && job.sharding.observe(count, runMs, bytes, attempt.count)) this.#recut(job);
    this.totals.itemsSucceeded += accepted;
    if (accepted < count) this.refuse(attempt.id, count - accepted);
  }

  /** Its items take longer than those of the job by which it was cut: what has not begun comes back, to be cut by what is known now. */
  #recut(job: Job): void {
    for (const attempt of job.attempts) {
      if (attempt.isRecalled || attempt.revoked !== undefined || attempt.open.size === 0) continue;
      attempt.isRecalled = true;
      this.#turn.emit({ type: 'recall', session: attempt.agent.session, attempt: attempt.id });
    }
  }

  /** Results that do not count: of an attempt that is over or taken back, or a second time. */
  refuse(attempt: AttemptId, items: number): void {
    this.totals.itemsRefused += items;
    this.#turn.emit({ type: 'note', note: { what: 'resultRefused', attempt, items } });
  }

  /** An item of a running attempt failed. */
  failure(attempt: Attempt, index: number, failure: ItemFailure): void {
    const [item] = attempt.open.take(index, 1);
    if (item === undefined) {
      this.refuse(attempt.id, 1);
      return;
    }
    const isShared = [...attempt.twins].some((twin) => twin.open.within(index, 1).length > 0);
    if (!isShared) attempt.job.running -= 1;
    const fact = this.#factOf(attempt, failure.attempt);
    this.#fail(attempt, item, { ...failure, attempt: fact }, { withPayload: true });
  }

  /** An attempt has ended; its slot is free already. What is open of it goes back, and nothing is lost. */
  ended(attempt: Attempt, ending: AttemptEnding): void {
    const { job, open } = attempt;
    if (ending.kind === 'unrunnable') {
      job.ending ??= { state: 'unrunnable' };
      return;
    }
    if (ending.kind === 'finished') {
      job.sharding.observeShard(attempt.count);
      // What was run and not heard of was lost on its way.
      this.lost(attempt);
      return;
    }
    // Coming back unrun again and again must not spin; a draining agent, or one that was asked, may give back what it has.
    let gotSomewhere = open.size < attempt.count || attempt.agent.draining || attempt.isRecalled;
    if (ending.kind === 'childDied') {
      const { stderrTail, attempt: fact } = ending.death;
      const tail = stderrTail === undefined ? {} : { stderrTail };
      const crash: ItemFailure = {
        kind: 'crash',
        retryable: true,
        attempt: this.#factOf(attempt, fact),
        ...tail,
      };
      gotSomewhere ||= ending.suspects.length > 0;
      const suspects = ending.suspects.flatMap(({ first, count }) => open.take(first, count));
      const isShared = suspects.length > 1 || suspects.some(({ count }) => count > 1);
      const shared = isShared ? new SharedDeath(crash.attempt) : undefined;
      for (const range of suspects) this.#fail(attempt, range, crash, { shared });
    } else if (ending.kind === 'returned') {
      for (const started of ending.started ?? []) {
        for (const range of open.take(started.first, started.count)) {
          this.#fail(attempt, range, this.#lossOf(attempt), { atOnce: true });
        }
      }
    }
    this.#returnFree(attempt, gotSomewhere);
  }

  /** An attempt is lost with its agent, or on its way; its slot is free already. */
  lost(attempt: Attempt): void {
    if (attempt.open.size === 0) return;
    for (const range of attempt.open.ranges()) this.#fail(attempt, range, this.#lossOf(attempt), {});
  }

  /** These items have their outcome by this attempt: its twins need not run them. */
  #claim(attempt: Attempt, range: ItemRange): void {
    for (const twin of attempt.twins) {
      const had = twin.open.take(range.first, range.count);
      if (had.length === 0 || twin.open.size > 0) continue;
      twin.revoked = 'superseded';
      this.#turn.emit({
        type: 'revoke',
        session: twin.agent.session,
        attempt: twin.id,
        reason: 'superseded',
      });
    }
  }

  /**
   * One try at these items failed: they get another one, or this is their outcome.
   *
   * Those that a twin has as well stay there and are charged for this try. That the function threw is its answer, and
   * the first answer counts; a death, a time limit or a loss is none, so the other attempt may still bring one.
   */
  #fail(
    attempt: Attempt,
    range: ItemRange,
    failed: ItemFailure,
    { withPayload = false, atOnce = false, shared }: FailureTerms,
  ): void {
    const { job } = attempt;
    for (const { history, ...piece } of attempt.histories.of(range)) {
      const failure = asCharged(history, failed);
      // Only an item that ran by itself since has anything to be cleared of: a suspect does.
      const known = piece.count === 1 ? cleared(history, piece.first, failure) : history;
      // A loss convicts nobody, so it needs no other one to explain it.
      const together = failure.kind === 'crash' ? (shared ?? known.shared) : known.shared;
      const verdict = judge(known, failure, job.spec.retries, together);
      for (const { twin, ...part } of attempt.shared(piece)) {
        const isAnswer = 'final' in verdict && failure.kind === 'thrown';
        if (twin !== undefined && !isAnswer) {
          twin.histories.set({ ...part, history: whileTwinRuns(known, verdict) });
          continue;
        }
        if (twin !== undefined) {
          job.running -= part.count;
          this.#claim(attempt, part);
        }
        if ('retry' in verdict) this.#retry(job, part, verdict.retry, failure, atOnce);
        else this.#fix(job, part, verdict.final, withPayload ? { bytes: failure.bytes ?? 0 } : undefined);
      }
    }
  }

  /** These items have failed for good. What is kept of it fills the window as values do. */
  #fix(
    job: Job,
    range: ItemRange,
    failure: FinalFailure,
    payload: { readonly bytes: number } | undefined,
  ): void {
    const end = range.first + range.count;
    const withPayload = payload !== undefined;
    const bytes = (payload?.bytes ?? 0) + (failure.stderrTail?.length ?? 0);
    for (let index = range.first; index < end; index += 1) {
      this.#turn.emit({ type: 'keepFailure', job: job.id, index, failure, withPayload });
      this.#settle(job, index, 1, bytes);
    }
    job.failed += range.count;
    this.totals.itemsFailed += range.count;
    if (job.spec.failFast) this.#failFast(job, range.first);
  }

  /** The first failure ends the job; the lowest one that comes until then is its error. */
  #failFast(job: Job, index: number): void {
    const { ending } = job;
    if (ending === undefined) {
      const graceMs = job.spec.ordered ? this.#options.failFastGraceMs : 0;
      job.ending = { state: 'failedFast', index };
      job.endsAtMs = this.#turn.nowMs + graceMs;
    } else if (ending.state === 'failedFast' && index < ending.index) {
      job.ending = { ...ending, index };
    }
  }

  #retry(job: Job, range: ItemRange, history: History, failure: ItemFailure, atOnce: boolean): void {
    const { kind } = failure;
    this.#turn.touch(job);
    job.retried += range.count;
    this.totals.itemsRetried += range.count;
    this.#turn.emit({
      type: 'note',
      note: { what: 'itemsRetried', job: job.id, items: range.count, why: kind },
    });
    const { nowMs } = this.#turn;
    const elsewhereUntilMs = kind === 'crash' ? nowMs + this.#options.elsewhereMs : 0;
    const piece = { ...range, history, elsewhereUntilMs };
    // A function that threw may be waiting for something, a lost agent may be one of many: those wait, spread out.
    // A crash or a timeout has cost its time already, and so has the start of another server.
    const isPaid = atOnce || failure.attempt.withItsServer === true;
    const waits = !isPaid && (kind === 'thrown' || kind === 'lost');
    if (waits) job.pending.giveBackAt(piece, nowMs + this.#backoff.delayMs(history.failures[kind]));
    else job.pending.giveBack(piece);
  }

  /** What is open of an attempt goes back at no cost; what a twin has as well stays there. */
  #returnFree(attempt: Attempt, gotSomewhere: boolean): void {
    const { job, open } = attempt;
    if (open.size === 0) return;
    for (const { history: before, ...range } of open.ranges().flatMap((each) => attempt.histories.of(each))) {
      const history = comeBack(before, gotSomewhere);
      for (const { twin, ...part } of attempt.shared(range)) {
        if (twin !== undefined) continue;
        if (before.spent !== undefined) {
          const { spent: kind, attempts, stderrTail } = before;
          this.#fix(
            job,
            part,
            { kind, attempts, ...(stderrTail === undefined ? {} : { stderrTail }) },
            undefined,
          );
          continue;
        }
        const piece = { ...part, history, elsewhereUntilMs: 0 };
        if (history.bounces < 2) job.pending.giveBack(piece);
        else job.pending.giveBackAt(piece, this.#turn.nowMs + this.#backoff.delayMs(history.bounces - 1));
      }
    }
  }

  /** These items have their outcome. */
  #settle(job: Job, first: number, count: number, bytes: number): void {
    job.releaseItems(first, count);
    this.#turn.emit({ type: 'releaseItems', job: job.id, first, count });
    const deliverable = job.outcomes.settle(first, count, bytes);
    if (deliverable !== undefined) {
      const { first: from, count: length } = deliverable;
      this.#turn.emit({ type: 'deliver', job: job.id, first: from, count: length });
    }
    this.#turn.touch(job);
  }

  #lossOf(attempt: Attempt): ItemFailure {
    return { kind: 'lost', retryable: true, attempt: this.#factOf(attempt, {}) };
  }

  /** Names the agent, which a local pool's users know nothing of. */
  #factOf(attempt: Attempt, fact: AttemptFact): AttemptFact {
    return attempt.agent.permanent ? fact : { ...fact, agent: attempt.agent.name };
  }
}
