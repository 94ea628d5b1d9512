import { setTimeout as sleep } from 'node:timers/promises';
import { task } from 'shoal';
import type { Scientist } from './scientist.ts';

/** What we want to know of a scientist. */
export interface Age {
  readonly name: string;
  readonly age: number;
}

/** A pure function that takes a second: it makes a new record and leaves the old one alone. */
export const transform = task(import.meta, async (scientist: Scientist): Promise<Age> => {
  console.log(`processing record ${scientist.name}`);
  await sleep(1000);
  return { name: scientist.name, age: 2017 - scientist.born };
});
