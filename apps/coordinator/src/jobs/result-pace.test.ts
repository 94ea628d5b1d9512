import { expect, test } from 'vitest';
import { ResultPace } from './result-pace.ts';

const few = { inputEnded: true, isAmple: false };

test('the first results wait for nothing, nor do those that come after a while', () => {
  const pace = new ResultPace();
  expect(pace.waitMs(1_000, few)).toBe(0);
  pace.sent(1_000);
  expect([1_050, 5_000].map((atMs) => pace.waitMs(atMs, few))).toEqual([0, 0]);
});

test('results that come soon after others leave together, 50 ms after those', () => {
  const pace = new ResultPace();
  pace.sent(1_000);
  expect([1_000, 1_010, 1_049].map((atMs) => pace.waitMs(atMs, few))).toEqual([50, 40, 1]);
});

test('a client may let them wait for a shorter time, or a longer one, but for no more than a second', () => {
  const waitMs = (gatherMs: number): number => {
    const pace = new ResultPace(gatherMs);
    pace.sent(1_000);
    return pace.waitMs(1_000, few);
  };
  expect([0, 10, 250, 1_000, 4_294_967_295].map(waitMs)).toEqual([0, 10, 250, 1_000, 1_000]);
});

test('results wait neither where a producer waits for them nor where they fill a message', () => {
  const pace = new ResultPace();
  pace.sent(1_000);
  expect(pace.waitMs(1_010, { inputEnded: false, isAmple: false })).toBe(0);
  expect(pace.waitMs(1_010, { inputEnded: true, isAmple: true })).toBe(0);
});
