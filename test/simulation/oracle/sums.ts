import { runsOnce } from '../scenario.ts';
import { must } from '../violation.ts';
import type { World } from '../world.ts';
import type { JobBook, JobBooks } from './job-book.ts';

/** How often items were called in the end: within their budgets, and charged to somebody. */
export class Sums {
  readonly #world: World;
  readonly #books: JobBooks;

  constructor(world: World, books: JobBooks) {
    this.#world = world;
    this.#books = books;
  }

  /** All is over: the sums have to be right. */
  check(): void {
    for (const book of this.#books.all) this.#checkCalls(book);
  }

  #checkCalls(book: JobBook): void {
    const { plan } = book;
    const { thrown, crash, timeout, lost } = plan.retries;
    // Where nothing can be lost, nothing is run again for it.
    const losses = this.#world.isCalm && !this.#world.hasDepartures ? 0 : lost;
    const most = 1 + thrown + crash + timeout + losses + Number(plan.pure);
    let extra = 0;
    let worst = 0;
    for (let index = 0; index < plan.items; index += 1) {
      const calls = book.executionsOf(index).length;
      const free = book.givenBack[index] ?? 0;
      must(
        calls <= most + free || (plan.concurrentTasks > 1 && !runsOnce(plan)),
        runsOnce(plan) ? 'G5' : 'G6',
        () => `${plan.name}[${index}] was called ${calls} times, at most ${most} are allowed`,
        { job: plan.name, index },
      );
      extra += Math.max(0, calls - 1 - free);
      if (calls > book.executionsOf(worst).length) worst = index;
    }
    // Whoever runs something again has said so and charged it to somebody.
    must(
      extra <= book.retried || plan.concurrentTasks > 1 || plan.pure,
      'G6',
      () => `${plan.name}: ${extra} calls were repeated, ${book.retried} are accounted for`,
      { job: plan.name, index: worst },
    );
  }
}
