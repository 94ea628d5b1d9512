import type { ClientJob } from '../client/client-job.ts';
import type { CoordinatorHost } from '../coordinator/coordinator-host.ts';
import type { JobPlan } from '../scenario.ts';
import { must, Violation } from '../violation.ts';
import type { JobBook, JobBooks } from './job-book.ts';

/** A coordinator that is silent for so long at a job's deadline is not waited for. */
const silenceMs = 500;

/** Nothing waits without a reason, or beyond its time. */
export class Liveness {
  readonly #books: JobBooks;

  constructor(books: JobBooks) {
    this.#books = books;
  }

  /** A deadline that is past has ended its job. */
  inspectDeadline({ plan, endedAtMs }: JobBook, id: string, coordinator: CoordinatorHost): void {
    const lateMs =
      coordinator.host.now() - Math.max(coordinator.deadlineOf(id) ?? Infinity, coordinator.wokeAtMs);
    must(
      endedAtMs !== undefined || lateMs <= 50,
      'G26',
      () => `${plan.name} runs ${Math.round(lateMs)} ms after its deadline`,
      { job: plan.name },
    );
  }

  /** So long a client has heard nothing, all of it after its deadline, and was not over. */
  waited({ name }: JobPlan, silentMs: number): void {
    must(
      silentMs <= silenceMs + 50,
      'G26',
      () => `${name} is waited for ${Math.round(silentMs)} ms in silence, beyond its deadline`,
      { job: name },
    );
  }

  /**
   * A client says by itself that its deadline has passed: it has, and the coordinator had the time to say so, over a new
   * connection, too.
   */
  gaveUp({ name }: JobPlan, leftMs: number, silentMs: number): void {
    must(leftMs <= 0, 'G26', () => `${name} is given up ${Math.round(leftMs)} ms before its deadline`, {
      job: name,
    });
    must(
      silentMs >= silenceMs,
      'G26',
      () =>
        `${name} is given up as past its deadline, and its coordinator had ${Math.round(silentMs)} ms to say so`,
      { job: name },
    );
  }

  /** Nobody waits without a reason. */
  inspectWaiting(coordinator: CoordinatorHost): void {
    for (const job of coordinator.snapshot().scheduler.jobs) {
      const isWaiting = job.running === 0 && job.delivered < job.pushed;
      must(
        !isWaiting || job.waitingReason !== undefined,
        'G20',
        () => `${job.job} has ${job.queued} items that wait, and nothing says why`,
        { job: this.#books.planOf(job.job)?.name ?? job.job },
      );
    }
  }

  /** Of jobs of which one has not come to its end: what it waits for. */
  stuck(jobs: readonly ClientJob[], coordinator: CoordinatorHost, quietMs: number): Violation {
    const job = jobs.find(({ fate }) => fate === undefined);
    const progress = job?.id === undefined ? undefined : coordinator.progress(job.id);
    const text = `${job?.plan.name} has not ended, ${Math.round(quietMs / 1000)} s after all was well again`;
    const index = job?.received.length ?? 0;
    return new Violation('G20', `${text}: ${JSON.stringify(progress)}`, {
      job: job?.plan.name ?? 'a job',
      index,
    });
  }
}
