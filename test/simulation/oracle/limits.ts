import type { CoordinatorCommand } from '@shoal/coordinator/core';
import type { AgentHost } from '../agent/agent-host.ts';
import type { CoordinatorHost, JobView } from '../coordinator/coordinator-host.ts';
import { must } from '../violation.ts';
import type { JobBook, JobBooks } from './job-book.ts';

/** Limits: windows of jobs in items and bytes, processes of an agent. */
export class Limits {
  readonly #books: JobBooks;

  constructor(books: JobBooks) {
    this.#books = books;
  }

  /** Those that run, as many successors, and whoever is on its way out. */
  crowded({ plan, slots }: AgentHost, processes: number): void {
    const most = 6 * Math.max(slots, plan.slots) + 8;
    must(processes <= most, 'G28', () => `${plan.name} has ${processes} processes for ${slots} slots`, {
      agent: plan.name,
    });
  }

  /** An error is kept for the client. */
  failureKept(job: string, index: number, bytes: number): void {
    this.#books.bookOf(job)?.weighed(index, bytes);
  }

  said(command: CoordinatorCommand): void {
    switch (command.type) {
      case 'deliver':
        this.#books.bookOf(command.job)?.delivered(command.first, command.count);
        return;
      case 'releaseResults':
        this.#books.bookOf(command.job)?.releasedTo(command.position);
        return;
      case 'dispatch': {
        const book = this.#books.bookOf(command.job);
        if (book !== undefined) this.#dispatched(book, command.first);
        return;
      }
    }
  }

  /** Where errors fill the window nothing starts but the item that everything waits for. */
  #dispatched({ deliveries, errorBytes, plan }: JobBook, first: number): void {
    // A copy of what runs takes no room of its own.
    if (plan.pure) return;
    must(
      errorBytes < plan.windowBytes || (plan.ordered && first === deliveries),
      'G29',
      () =>
        `${plan.name} has ${errorBytes} bytes of errors in its window of ${plan.windowBytes}, and goes on`,
      { job: plan.name, index: first },
    );
  }

  /** A job is ahead of its client by no more than its window. */
  inspectJob({ plan }: JobBook, view: JobView): void {
    const ahead = view.pushed - view.acknowledged;
    must(
      ahead <= plan.windowItems + plan.blockItems,
      'G29',
      () => `${plan.name} has ${ahead} items in its window of ${plan.windowItems}`,
      { job: plan.name },
    );
  }

  /** What the coordinator holds is within the windows of its jobs. */
  inspectBytes(coordinator: CoordinatorHost): void {
    for (const { itemBytes, job } of coordinator.snapshot().scheduler.jobs) {
      const plan = this.#books.planOf(job);
      if (plan === undefined) continue;
      // A block that begins within the window may end beyond it.
      const mostBytes = plan.windowBytes + 4 * (plan.blockItems + 1);
      must(
        itemBytes <= mostBytes,
        'G29',
        () => `${plan.name} holds ${itemBytes} bytes of items, ${mostBytes} are allowed`,
        { job: plan.name },
      );
    }
    const boundBytes = this.#boundBytes();
    must(
      coordinator.heldBytes <= boundBytes,
      'G29',
      () => `the coordinator holds ${coordinator.heldBytes} bytes, its windows allow ${boundBytes}`,
    );
  }

  #boundBytes(): number {
    let boundBytes = 0;
    for (const { plan, id } of this.#books.all) {
      if (id === undefined) continue;
      const blockBytes = 4 * (plan.blockItems + 1);
      boundBytes += 2 * plan.windowBytes + 2 * blockBytes + 64 * plan.blockItems * 8;
    }
    return boundBytes;
  }
}
