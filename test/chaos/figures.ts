import { expect } from 'vitest';
import { slack } from '../slack.ts';

/** Prints a time that was measured, and holds it to its limit. */
export function holdTo(limitMs: number, what: string, ms: number): void {
  const times = slack();
  const busy = times > 1 ? `, times ${times.toFixed(1)} for the machine is busy` : '';
  console.log(`figure: ${what}: ${Math.round(ms)} ms (limit ${limitMs} ms${busy})`);
  expect(ms, what).toBeLessThanOrEqual(limitMs * times);
}
