import { expect, test } from 'vitest';
import { isFlat, type Series } from './growth.ts';
import { plotOf } from './plot.ts';

const seriesOf = (...costs: readonly number[]): Series => ({
  place: 'cluster',
  points: costs.map((microseconds, step) => ({ at: 10 ** step, microseconds })),
});

test('flat is what costs nowhere more than a quarter more than it did before', () => {
  expect([seriesOf(4, 9, 5), seriesOf(4, 5.1), seriesOf(9, 1)].map(isFlat)).toEqual([false, false, true]);
});

test('what has no two points, or could not be measured to its end, is neither flat nor steep', () => {
  expect([seriesOf(1), seriesOf(), { ...seriesOf(1, 1), failed: 'no such luck' }].map(isFlat)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test('a cost that stays is a level line, and one that grows as fast as its cause rises by as much as it goes on', () => {
  const lineOf = (series: Series): number[][] => {
    const plot = plotOf({ name: 'x', title: 'X', label: 'things', series: [series] });
    const [, path = ''] = /points="([^"]+)"/.exec(plot) ?? [];
    return path.split(' ').map((point) => point.split(',').map(Number));
  };
  expect(new Set(lineOf(seriesOf(2, 2, 2)).map(([, y]) => y)).size).toBe(1);
  const [first = [], second = [], third = []] = lineOf(seriesOf(1, 10, 100));
  expect((first[1] ?? 0) - (second[1] ?? 0)).toBe((second[1] ?? 0) - (third[1] ?? 0));
  expect(second[0]).toBeGreaterThan(first[0] ?? 0);
});
