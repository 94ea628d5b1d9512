import { expect, test } from 'vitest';
import { chartOf } from './chart.ts';
import type { Row } from './figures.ts';

const row = (contender: string, median: number, more: Partial<Row> = {}): Row => ({
  contender,
  version: '1',
  missing: undefined,
  failed: undefined,
  items: 1,
  figures: [median],
  median,
  low: median,
  high: median,
  ratio: undefined,
  ratioLow: undefined,
  ratioHigh: undefined,
  ...more,
});

test('the longest bar is the biggest figure, the shortest can still be seen, and who is missing has none', () => {
  const rows = [
    row('Shoal', 3_000),
    row('a < b', 1),
    row('nobody', Number.NaN, { missing: 'not installed' }),
  ];
  const [name, title, unit] = ['x', 'X', 'items/s'];
  const table = { name, title, unit, moreIsBetter: true, warmUpItems: 0, rows, goals: [] };
  const chart = chartOf([table]);
  expect([...chart.matchAll(/<rect[^>]* width="(\d+)"/g)].map(([, width]) => width)).toEqual(['300', '1']);
  expect(chart).toContain('>a &lt; b<');
  expect(chart).toMatch(/>nobody<.*>missing here</);
});
