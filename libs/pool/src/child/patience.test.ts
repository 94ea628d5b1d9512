import { expect, test } from 'vitest';
import { patienceMs } from './patience.ts';

test('results of a young job leave after 5 ms, later after half of its time, and never later than a chunk takes', () => {
  expect([0, 20, 40, 100, 200, 60_000].map(patienceMs)).toEqual([5, 10, 20, 50, 100, 100]);
});
