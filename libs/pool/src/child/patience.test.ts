import { expect, test } from 'vitest';
import { patienceMs } from './patience.ts';

test('results of a young job leave after 5 ms, later after a tenth of its time, and never later than a chunk takes', () => {
  expect([0, 50, 100, 200, 400, 60_000].map(patienceMs)).toEqual([5, 5, 10, 20, 40, 40]);
});
