import type { CoordinatorCommand, CoordinatorEvent } from '@shoal/coordinator/core';
import type { Note } from '@shoal/scheduler';
import type { CoordinatorHost } from '../coordinator/coordinator-host.ts';
import { sound } from '../violation.ts';
import type { World } from '../world.ts';
import { Attempts } from './attempts.ts';
import { Deliveries } from './deliveries.ts';
import { Drains } from './drains.ts';
import { Executions } from './executions.ts';
import { Failures } from './failures.ts';
import { Holdings } from './holdings.ts';
import { JobBooks } from './job-book.ts';
import { Jobs } from './jobs.ts';
import { Leaks } from './leaks.ts';
import { Leases } from './leases.ts';
import { Limits } from './limits.ts';
import { Liveness } from './liveness.ts';
import { Precedence } from './precedence.ts';
import { Reads } from './reads.ts';
import { Retries } from './retries.ts';
import { Roster } from './roster.ts';
import { Sums } from './sums.ts';
import { emptyTally, type Tally } from './tally.ts';

/**
 * Knows what callers and the outside can see (calls of the function, messages, outcomes) and says when it breaks the
 * delivery contract. It knows nothing of how the cores come to their decisions.
 *
 * Each part watches one group of guarantees; hosts tell the part that wants to know.
 */
export class Oracle {
  readonly tally: Tally = emptyTally();
  readonly attempts: Attempts;
  readonly deliveries: Deliveries;
  readonly drains: Drains = new Drains();
  readonly executions: Executions;
  readonly jobs: Jobs;
  readonly leaks: Leaks;
  readonly leases: Leases;
  readonly limits: Limits;
  readonly liveness: Liveness;
  readonly reads: Reads = new Reads();
  readonly sums: Sums;
  readonly #holdings: Holdings;
  readonly #precedence: Precedence;
  readonly #retries: Retries;
  readonly #roster: Roster;
  readonly #world: World;
  readonly #books: JobBooks;
  /** Steps that the coordinator has made. */
  steps = 0;

  constructor(world: World) {
    const { jobs } = world.scenario;
    const books = new JobBooks(jobs);
    this.#world = world;
    this.#books = books;
    for (const { items } of jobs) this.tally.items += items;
    this.tally.jobs = jobs.length;
    this.executions = new Executions(world, books, this.tally);
    this.attempts = new Attempts(world, books, this.executions, this.drains);
    this.deliveries = new Deliveries(
      books,
      this.executions,
      new Failures(world, this.executions, this.tally),
      this.tally,
    );
    this.jobs = new Jobs(world, books);
    this.leaks = new Leaks(world);
    this.leases = new Leases(world);
    this.limits = new Limits(books);
    this.liveness = new Liveness(books);
    this.#roster = new Roster(world, this.drains, this.leases);
    this.#retries = new Retries(world, this.#roster);
    this.#holdings = new Holdings(books, this.#roster, this.leases, this.#retries);
    this.#precedence = new Precedence(world, books);
    this.sums = new Sums(world, books);
  }

  coordinatorRestarted(): void {
    this.leases.coordinatorRestarted();
    this.drains.coordinatorRestarted();
    this.#roster.coordinatorRestarted();
    this.#holdings.coordinatorRestarted();
  }

  /** Something reaches the coordinator. */
  coordinatorHears(event: CoordinatorEvent, epoch: number): void {
    // Whose session it is has to be known as it was before.
    this.#holdings.heard(event, epoch);
    this.#roster.heard(event);
  }

  /** The coordinator wants something. */
  coordinatorSays(command: CoordinatorCommand, nowMs: number): void {
    if (command.type === 'keepFailure') this.#books.bookOf(command.job)?.failed(command.index);
    this.limits.said(command);
    // Holdings before the roster: of an agent that is lost both have to know what it had.
    if (command.type === 'admitAgent') {
      this.#roster.said(command, nowMs);
      this.#holdings.said(command);
    } else {
      this.#holdings.said(command);
      this.#roster.said(command, nowMs);
    }
    this.#precedence.said(command);
  }

  noted(note: Note['note']): void {
    if (note.what === 'itemsRetried') {
      const plan = this.#books.planOf(note.job);
      if (plan !== undefined) this.#books.of(plan.name).retried += note.items;
    } else if (note.what === 'resultRefused') this.tally.refused += note.items;
    else if (note.what === 'agentLost') this.drains.lost(note.agent);
  }

  /** All is over. */
  check(): void {
    this.sums.check();
    this.#retries.check();
  }

  /** Now and then, or it would cost more than everything else. */
  coordinatorStepped(coordinator: CoordinatorHost): void {
    this.steps += 1;
    this.leases.stepped();
    this.#holdings.stepped();
    this.#roster.stepped();
    this.#precedence.stepped();
    if (this.steps % this.#world.checkEvery === 0) this.inspect(coordinator);
  }

  /** Looks at everything that has to hold at any moment. */
  inspect(coordinator: CoordinatorHost): void {
    sound(() => coordinator.check());
    this.leases.inspect(coordinator);
    this.#roster.inspect();
    for (const book of this.#books.all) {
      const { id } = book;
      const view = id === undefined ? undefined : coordinator.jobView(id);
      if (id === undefined || view === undefined) continue;
      this.limits.inspectJob(book, view);
      this.liveness.inspectDeadline(book, id, coordinator);
    }
    this.limits.inspectBytes(coordinator);
  }
}
