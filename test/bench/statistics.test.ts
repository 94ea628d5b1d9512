import { expect, test } from 'vitest';
import { median } from './statistics.ts';

test('the median is the middle one, or lies between the middle two', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([9, 1, 5, 7])).toBe(6);
  expect(median([])).toBeNaN();
});
