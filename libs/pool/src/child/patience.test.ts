import { expect, test } from 'vitest';
import { patienceMs } from './patience.ts';

test('results of a young job leave after 5 ms, later after a quarter of its time, and never later than a chunk takes', () => {
  expect([0, 20, 40, 100, 200, 60_000].map(patienceMs)).toEqual([5, 5, 10, 25, 50, 50]);
});
