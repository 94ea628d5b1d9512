import { appendFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { current, task } from 'shoal';

/** Who ran an item, at which try. */
export interface Visit {
  readonly item: number;
  readonly host: string;
  readonly attempt: number;
}

/** Cheap and the same everywhere, whatever machine runs it. */
export const collatzSteps = task(import.meta, (start: number): number => {
  let steps = 0;
  for (let n = start; n !== 1; n = n % 2 === 0 ? n / 2 : 3 * n + 1) steps += 1;
  return steps;
});

/** Takes its time and enters its start in a book that all containers share. */
export const visit = task(import.meta, async (item: number): Promise<Visit> => {
  appendFileSync('/book/executions', `${JSON.stringify({ item, host: hostname() })}\n`);
  await sleep(200);
  return { item, host: hostname(), attempt: current()?.attempt ?? 0 };
});

/** Gives its secret back, but for every third one: there it fails, in words of its own. */
export const keep = task(import.meta, ({ at, secret }: { at: number; secret: string }): string => {
  if (at % 3 === 2) throw new TypeError(`record ${at} is bad`);
  return secret;
});
