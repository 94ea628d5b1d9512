import { expect, test } from 'vitest';
import { daysLeft } from './server-certificates.ts';

const dayMs = 86_400_000;

test.each([
  ['a year', 365 * dayMs, undefined],
  ['seven days', 7 * dayMs, undefined],
  ['a bit less', 7 * dayMs - 1, 6],
  ['an hour', dayMs / 24, 0],
  ['nothing', -dayMs, 0],
])('with %s left, what is warned of is %j', (_, leftMs, days) => {
  expect(daysLeft(1_000_000 + leftMs, 1_000_000)).toBe(days);
});
