import { setTimeout as sleep } from 'node:timers/promises';
import { current, task } from 'shoal';
import { enter } from '../book.ts';
import { type Order, outcomeOf } from '../work.ts';

/** So many calls a child may start (G30): recycling is part of what goes on for half an hour. */
export const tasksPerChild = 400;

let calls = 0;

/** Enters itself, waits, and answers; in a child that lives longer than it should it fails. */
export const soakWork = task(import.meta, async (order: Order): Promise<string> => {
  calls += 1;
  if (calls > tasksPerChild) throw new Error(`Call ${calls} of a process that may have ${tasksPerChild}.`);
  const { agent = 'none', attempt = 0 } = current() ?? {};
  enter(order.book, { item: order.item, agent, pid: process.pid, attempt, atMs: Date.now() });
  await sleep(order.ms);
  return outcomeOf(order);
});
