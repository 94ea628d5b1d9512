import { readFileSync } from 'node:fs';

export const square = (x: number): number => x * x;

/** What is loaded anew in each process that loads the module itself. */
const loadedBy = process.pid;

/** What started its process, and whether the module was loaded there before. */
export const origin = (): { readonly parent: string; readonly isPreloaded: boolean } => ({
  parent: readFileSync(`/proc/${process.ppid}/cmdline`, 'utf8'),
  isPreloaded: loadedBy !== process.pid,
});

export const nothing = (): undefined => undefined;

export const loud = (x: number): number => {
  console.log(`got ${x}`);
  return x;
};

/** Prints as much as an item may. */
export const chatty = (x: number): number => {
  console.log('x'.repeat(60_000));
  return x;
};

export const notThree = (x: number): number => {
  if (x === 3) throw new TypeError('three is right out');
  return x;
};

/** As esbuild, assert and zod do, and as whoever would forge a line of ours. */
export const failsInLines = (x: number): never => {
  throw new Error(`first\r\nshoal: forged ${x}\n2 of 2 items failed.`);
};

export const big = (): bigint => 1n;

export const echo = (x: unknown): unknown => x;

export const mapped = (x: number): ReadonlyMap<number, number> => new Map([[x, x]]);

export const slow = async (x: number): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, 300));
  return x;
};

/** Never gives the event loop a turn: only a signal that cannot be caught ends it. */
export const spin = (): never => {
  for (;;);
};

/** As `spin`, but says first that it has begun: the prefix of the line tells the pid. */
export const spinLoudly = (x: number): never => {
  console.log(`begins ${x}`);
  return spin();
};
