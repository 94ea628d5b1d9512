/** The task functions of the conformance suite: a module like a user's. */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { current, task } from 'shoal';

export interface Scientist {
  readonly name: string;
  readonly born: number;
}

export const transform = task(import.meta, async (scientist: Scientist) => {
  await sleep(100);
  return { name: scientist.name, age: 2017 - scientist.born, pid: process.pid };
});

export const square = task(import.meta, (x: number) => x * x);

export const add = task(import.meta, (a: number, b: number, c: number = 0) => a + b + c);

export const sleepThenSay = task(import.meta, async (ms: number) => {
  await sleep(ms);
  return ms;
});

export const whoRan = task(import.meta, async (item: number) => {
  await sleep(1);
  return { item, pid: process.pid };
});

/** Throws for the items that are named after a colon: `{ item, bad }`. */
export const failIfBad = task(import.meta, ({ item, bad }: { item: number; bad: boolean }) => {
  if (bad) throw Object.assign(new TypeError(`bad record ${item}`), { code: 'EBAD', record: { item } });
  return item;
});

/** Writes down that it ran, then throws if it is told to. */
export const noteThenFail = task(import.meta, (order: { file: string; item: number; bad: boolean }) => {
  appendFileSync(order.file, `${order.item}\n`);
  if (order.bad) throw new Error(`bad ${order.item}`);
  return order.item;
});

/** Ends its process in the way that it is told. */
export const leave = task(import.meta, ({ item, how }: { item: number; how?: 'kill' | 'exit' | 'abort' }) => {
  if (how === 'kill') process.kill(process.pid, 'SIGKILL');
  if (how === 'exit') process.exit(3);
  if (how === 'abort') process.abort();
  return item;
});

/** Fails until it has been tried `times` times. */
export const failAtFirst = task(import.meta, ({ times }: { times: number }) => {
  const attempt = current()?.attempt ?? 0;
  if (attempt < times) throw Object.assign(new Error(`try ${attempt}`), { code: 'EAGAIN' });
  return attempt;
});

export const loopForEver = task(import.meta, (item: number) => {
  while (item === 1) {
    // Nothing but the clock can end this.
  }
  return item;
});

export const echo = task(import.meta, (value: unknown) => value);

export const returnFunction = task(import.meta, (item: number) => (item === 1 ? { run: () => item } : item));

export const throwAnything = task(import.meta, (how: string) => {
  switch (how) {
    case 'string':
      throw 'just a string';
    case 'undefined':
      throw undefined;
    case 'proxy':
      throw new Proxy(
        {},
        {
          get() {
            throw new Error('trap');
          },
        },
      );
    default:
      return how;
  }
});

export const whereAmI = task(import.meta, () => {
  const { index, attempt, signal, job, agent } = current() ?? {};
  return { index, attempt, isSignal: signal instanceof AbortSignal, job: typeof job, agent };
});

export default (x: number): number => x + 1;
