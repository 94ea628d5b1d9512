import { runsOnce } from '../scenario.ts';
import { must } from '../violation.ts';
import type { World } from '../world.ts';
import type { JobBook, JobBooks } from './job-book.ts';

/** How often items were called in the end: within their budgets, and each repetition for a reason that was told. */
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
    for (let index = 0; index < plan.items; index += 1) {
      const calls = book.executionsOf(index).length;
      if (calls <= 1) continue;
      const trouble = book.findTrouble(index);
      const about = { job: plan.name, index };
      // Where nothing can be lost, nothing is run again for it.
      const losses = this.#world.isCalm ? 0 : lost;
      const budget = 1 + thrown + crash + timeout + losses + Number(plan.pure);
      // A death that others shared is charged to none of them once one is known to have caused it.
      const free = (book.givenBack[index] ?? 0) + (trouble?.shared ?? 0);
      must(
        calls <= budget + free,
        runsOnce(plan) ? 'G5' : 'G6',
        () => `${plan.name}[${index}] was called ${calls} times, at most ${budget} are allowed`,
        about,
      );
      const charged =
        trouble === undefined ? 0 : trouble.thrown + trouble.crash + trouble.timeout + trouble.lost;
      const known = charged + (book.copies[index] ?? 0) + (book.givenBack[index] ?? 0);
      must(
        calls - 1 <= known,
        runsOnce(plan) ? 'G5' : 'G6',
        () => `${plan.name}[${index}] was called ${calls} times, ${known} repetitions are accounted for`,
        about,
      );
    }
  }
}
