import { expect, test } from 'vitest';
import { Backoff } from './backoff.ts';

const options = { backoffMs: 250, backoffMsMax: 30_000, seed: 3 };

test('G11: waits are spread from 0 to a bound that doubles, 30 s at most', () => {
  const backoff = new Backoff(options);
  for (const [retry, bound] of [
    [1, 250],
    [2, 500],
    [5, 4_000],
    [8, 30_000],
    [60, 30_000],
  ] as const) {
    const waits = Array.from({ length: 2_000 }, () => backoff.delayMs(retry));
    expect(Math.max(...waits)).toBeLessThanOrEqual(bound);
    expect(Math.max(...waits)).toBeGreaterThan(bound * 0.95);
    expect(Math.min(...waits)).toBeLessThan(bound * 0.05);
    const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
    expect(mean / bound).toBeCloseTo(0.5, 1);
  }
});

test('the same seed gives the same waits', () => {
  const waits = (seed: number) => {
    const backoff = new Backoff({ ...options, seed });
    return [backoff.delayMs(4), backoff.delayMs(4), backoff.delayMs(4)];
  };
  expect(waits(1)).toEqual(waits(1));
  expect(waits(1)).not.toEqual(waits(2));
});
