import type { ClientJob } from '../client/client-job.ts';
import type { Received } from '../client/fate.ts';
import { must } from '../violation.ts';
import type { Executions } from './executions.ts';
import type { Failures } from './failures.ts';
import type { JobBook, JobBooks } from './job-book.ts';
import type { Tally } from './tally.ts';

/** Outcomes as users get them: each once, in order where that was asked for, and the value of its own item. */
export class Deliveries {
  readonly #books: JobBooks;
  readonly #executions: Executions;
  readonly #failures: Failures;
  readonly #tally: Tally;

  constructor(books: JobBooks, executions: Executions, failures: Failures, tally: Tally) {
    this.#books = books;
    this.#executions = executions;
    this.#failures = failures;
    this.#tally = tally;
  }

  /** A user gets an outcome. */
  received(job: ClientJob, received: Received): void {
    const { plan } = job;
    const { index } = received;
    const book = this.#books.of(plan.name);
    const about = { job: plan.name, index };
    this.#tally.outcomes += 1;
    must(job.fate === undefined, 'G3', () => `${plan.name}[${index}] comes after the end`, about);
    must(index >= 0 && index < plan.items, 'G1', () => `${plan.name} has no item ${index}`, about);
    must(book.got[index] === undefined, 'G3', () => `${plan.name}[${index}] came before`, about);
    book.got[index] = received;
    const due = job.received.length - 1;
    must(
      !plan.ordered || index === due,
      'G2',
      () => `${plan.name}[${index}] comes where [${due}] is due`,
      about,
    );
    if ('failure' in received) this.#failures.check(book, received.failure);
    else this.#gave(book, index, received.execution);
  }

  #gave(book: JobBook, index: number, id: number): void {
    const { plan } = book;
    const execution = this.#executions.find(id);
    const about = {
      job: plan.name,
      index,
      ...(execution === undefined ? {} : { attempt: execution.attempt }),
    };
    must(execution !== undefined, 'G4', () => `no call made the value of ${plan.name}[${index}]`, about);
    if (execution === undefined) return;
    must(
      execution.job === plan.name && execution.index === index,
      'G4',
      () => `${plan.name}[${index}] has the value of ${execution.job}[${execution.index}]`,
      about,
    );
    must(
      execution.outcome === 'value',
      'G4',
      () => `the call behind ${plan.name}[${index}] ended as ${execution.outcome}`,
      about,
    );
    must(
      book.kept[index] === id,
      'G3',
      () => `${plan.name}[${index}] is not the value that was accepted first`,
      about,
    );
  }
}
