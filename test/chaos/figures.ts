import { expect } from 'vitest';

/** Prints a time that was measured, and holds it to its limit. */
export function holdTo(limitMs: number, what: string, ms: number): void {
  console.log(`figure: ${what}: ${Math.round(ms)} ms (limit ${limitMs} ms)`);
  expect(ms, what).toBeLessThanOrEqual(limitMs);
}
