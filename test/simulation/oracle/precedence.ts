import type { CoordinatorCommand } from '@shoal/coordinator/core';
import { must } from '../violation.ts';
import type { World } from '../world.ts';
import type { JobBook, JobBooks } from './job-book.ts';

/** Priorities: no slot goes to a job while a more urgent one has something to run there. */
export class Precedence {
  readonly #world: World;
  readonly #books: JobBooks;
  readonly #matters: boolean;
  /** Jobs that took items in during this step. */
  #grown: JobBook[] = [];

  constructor(world: World, books: JobBooks) {
    const { jobs } = world.scenario;
    this.#world = world;
    this.#books = books;
    this.#matters = jobs.some(({ priority }) => priority !== jobs[0]?.priority);
  }

  said(command: CoordinatorCommand): void {
    if (!this.#matters) return;
    if (command.type === 'keepBlock') {
      const book = this.#find(command.job);
      if (book === undefined) return;
      book.pushed += command.count;
      this.#grown.push(book);
    } else if (command.type === 'dispatch') {
      const book = this.#find(command.job);
      if (book === undefined) return;
      const isFresh = command.first + command.count > book.dispatched;
      book.dispatched = Math.max(book.dispatched, command.first + command.count);
      if (isFresh) this.#served(book, command.agent, command.attempt);
    }
  }

  /** What came in during this step can be handed out in the next one. */
  stepped(): void {
    if (this.#grown.length === 0) return;
    for (const book of this.#grown) book.ready = book.pushed;
    this.#grown = [];
  }

  #served({ plan }: JobBook, agent: string, attempt: number): void {
    const has = this.#world.agentPlan(agent)?.labels ?? {};
    for (const other of this.#books.all) {
      if (other.plan.priority <= plan.priority || other.dispatched >= other.ready) continue;
      // One of an earlier coordinator is none of this one's jobs.
      if (other.epoch !== this.#world.coordinator.epoch || other.endedAtMs !== undefined) continue;
      if (!this.#isUnlimited(other)) continue;
      const mayRun = Object.entries(other.plan.labels).every(([label, value]) => has[label] === value);
      must(
        !mayRun,
        'priority',
        () => `${plan.name} is served on ${agent}, and ${other.plan.name} goes before it`,
        { job: other.plan.name, index: other.dispatched, attempt, agent },
      );
    }
  }

  /** Nothing but a slot keeps the items of a job from being run. */
  #isUnlimited({ plan }: JobBook): boolean {
    const { errorBytes, failFast, group, items, windowBytes } = plan;
    if (failFast || windowBytes < 10 * items * (4 + errorBytes) + 2_000) return false;
    return this.#world.scenario.jobs.every((each) => each.group !== group || each.processes >= 1_000_000);
  }

  #find(job: string): JobBook | undefined {
    const plan = this.#books.planOf(job);
    return plan === undefined ? undefined : this.#books.of(plan.name);
  }
}
