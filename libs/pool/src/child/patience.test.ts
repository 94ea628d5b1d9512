import { expect, test } from 'vitest';
import { patienceMs } from './patience.ts';

test('results of a young job leave after 5 ms, later after half of its time, and never later than a chunk takes', () => {
  expect([0, 20, 40, 100, 200, 60_000].map((ms) => patienceMs(ms, 1))).toEqual([5, 10, 20, 50, 100, 300]);
  expect([0, 200, 60_000].map((ms) => patienceMs(ms, 20))).toEqual([5, 100, 100]);
});
