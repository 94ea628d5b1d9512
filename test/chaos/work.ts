import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { current, task } from 'shoal';
import { enter } from './book.ts';

/** What a task is asked for: an item's number, how long it takes, and the book it enters itself into. */
export interface Order {
  readonly item: number;
  readonly ms: number;
  readonly book: string;
  /** Some bytes that travel along, there and back. */
  readonly ballast?: string;
}

/** What comes of an order, wherever it ran. */
export const outcomeOf = ({ item, ballast = '' }: Pick<Order, 'ballast' | 'item'>): string =>
  `${item * item} ${ballast}`;

function begin({ item, book }: Order): void {
  const { agent = 'none', attempt = 0 } = current() ?? {};
  enter(book, { item, agent, pid: process.pid, attempt, atMs: Date.now() });
}

/** Enters itself, waits, and answers. */
export const work = task(import.meta, async (order: Order): Promise<string> => {
  begin(order);
  await sleep(order.ms);
  return outcomeOf(order);
});

/** As `work`, ten times slower on the agent of this name. */
export const unevenWork = task(
  import.meta,
  async (order: Order & { readonly slow: string }): Promise<string> => {
    begin(order);
    await sleep(current()?.agent === order.slow ? order.ms * 10 : order.ms);
    return outcomeOf(order);
  },
);

/** Never gives the event loop a turn: only SIGKILL ends it. */
export const spin = task(import.meta, (order: Order): never => {
  begin(order);
  for (;;);
});

/** Leaves a process behind that would outlive everything. */
export const leaveBehind = task(import.meta, async (order: Order): Promise<string> => {
  begin(order);
  spawn('sleep', ['1000'], { stdio: 'ignore' });
  await sleep(order.ms);
  return outcomeOf(order);
});

/** Takes so much memory that something has to give, for item 5 only. */
export const hoard = task(import.meta, async (order: Order & { readonly bytes: number }): Promise<string> => {
  begin(order);
  const held: Buffer[] = [];
  if (order.item === 5) {
    const step = 8 * 2 ** 20;
    for (let bytes = 0; bytes < order.bytes; bytes += step) {
      held.push(Buffer.alloc(step, 1));
      await sleep(5);
    }
  }
  await sleep(order.ms);
  return outcomeOf(order);
});
