import type { ClientJob } from '../client/client-job.ts';
import type { JobFate } from '../client/fate.ts';
import { must } from '../violation.ts';
import type { World } from '../world.ts';
import type { JobBooks } from './job-book.ts';

/** Jobs: created once, ended once and for a reason, and their clients hear the truth. */
export class Jobs {
  readonly #world: World;
  readonly #books: JobBooks;

  constructor(world: World, books: JobBooks) {
    this.#world = world;
    this.#books = books;
  }

  created(id: string, name: string, epoch: number): void {
    const book = this.#books.find(name);
    if (book === undefined) return;
    must(
      book.id === undefined || epoch !== book.epoch || book.endedAtMs !== undefined,
      'G21',
      () => `${name} was asked for twice with one request id, and created twice`,
      { job: name },
    );
    if (book.id !== undefined) this.#books.renew(name);
    const fresh = this.#books.of(name);
    fresh.id = id;
    fresh.epoch = epoch;
    fresh.cancelAskedAtMs = book.cancelAskedAtMs;
  }

  createdAgain(job: ClientJob, id: string): void {
    must(
      job.id === undefined || job.id === id || this.#world.restarts > 0,
      'G21',
      () => `${job.plan.name} was created as ${job.id} and as ${id}`,
      { job: job.plan.name },
    );
  }

  cancelAsked(name: string): void {
    this.#books.of(name).cancelAskedAtMs ??= this.#world.clock.nowMs;
  }

  ended(id: string, state: string): void {
    const plan = this.#books.planOf(id);
    if (plan === undefined) return;
    const book = this.#books.of(plan.name);
    const about = { job: plan.name };
    must(book.endedAtMs === undefined, 'structure', () => `${plan.name} ends twice`, about);
    book.endedAtMs = this.#world.clock.nowMs;
    book.state = state;
    must(
      state !== 'failedFast' || plan.failFast,
      'structure',
      () => `${plan.name} ends with its first failure, unasked`,
      about,
    );
    must(
      state !== 'deadline' || plan.deadlineMs !== undefined,
      'G26',
      () => `${plan.name} has no deadline and is past it`,
      about,
    );
    must(
      state !== 'unrunnable' || plan.code !== 'works',
      'G8',
      () => `${plan.name} can run, and is given up as one that cannot`,
      about,
    );
  }

  /** A job is over for its user. */
  finished(job: ClientJob, fate: JobFate): void {
    const { plan, received } = job;
    const book = this.#books.of(plan.name);
    const about = { job: plan.name };
    if (fate.kind === 'lost') {
      // Its client was the judge of its deadline, and has said so.
      if (fate.why === 'pastDeadline') return;
      const mayBe = this.#world.mayLose(plan.client);
      must(
        mayBe,
        'G1',
        () => `${plan.name} is lost to its client, and no fault explains it (${fate.why})`,
        about,
      );
      return;
    }
    if (fate.kind === 'left') return;
    must(
      fate.state === book.state,
      'G1',
      () => `${plan.name} ended as ${book.state}, its client hears ${fate.state}`,
      about,
    );
    if (fate.state === 'completed') {
      must(
        !plan.failFast || received.every((each) => !('failure' in each)),
        'structure',
        () => `${plan.name} is to stop at its first failure, and is complete with failures`,
        about,
      );
      must(
        received.length === plan.items,
        'G1',
        () => `${plan.name} is complete with ${received.length} of ${plan.items} outcomes`,
        about,
      );
    }
    if (fate.state === 'cancelled') {
      must(
        book.cancelAskedAtMs !== undefined || this.#world.mayLose(plan.client),
        'G25',
        () => `${plan.name} was cancelled, and nobody asked for it`,
        about,
      );
    }
    if (fate.state === 'completed' || fate.state === 'failedFast') return;
    must(
      fate.state !== 'cancelled' || plan.code === 'works' || book.cancelAskedAtMs !== undefined,
      'G20',
      () => `${plan.name} cannot run, and was not told so`,
      about,
    );
  }
}
