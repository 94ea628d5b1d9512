import { expect, test } from 'vitest';
import { Pace } from './pace.ts';

/** Plays a job whose slots are busy for only a part of the time, and answers how long it takes. */
function played(items: number, forMs: number, use: number): number {
  const pace = new Pace({ items, forMs, slots: 6 });
  let elapsedMs = 0;
  for (let item = 0; item < items; item++) {
    const itemMs = pace.itemMs(elapsedMs);
    elapsedMs += itemMs / (6 * use);
    pace.delivered(itemMs);
  }
  return elapsedMs;
}

test.each([0.3, 0.6, 0.9])(
  'items that are given their time by the pace last as long as they should, with slots in use for %d of it',
  (use) => {
    for (const minutes of [2, 30]) {
      const forMs = minutes * 60_000;
      const tookMs = played(Math.round((minutes * 200_000) / 30), forMs, use);
      expect(tookMs).toBeGreaterThan(forMs * 0.93);
      expect(tookMs).toBeLessThan(forMs * 1.07);
    }
  },
);
