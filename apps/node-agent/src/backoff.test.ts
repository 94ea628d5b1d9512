import { expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';

test('the longest wait doubles with each failure, up to 30 s', () => {
  const longest = [1, 2, 3, 7, 8, 9, 1000].map((failures) => backoffMs(failures, () => 1));
  expect(longest).toEqual([250, 500, 1000, 16_000, 30_000, 30_000, 30_000]);
});

test('any part of it may be waited', () => {
  expect(backoffMs(3, () => 0)).toBe(0);
  expect(backoffMs(3, () => 0.25)).toBe(250);
});
