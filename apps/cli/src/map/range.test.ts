import { expect, test } from 'vitest';
import { isMeantAsRange, parseRange, rangeItems, rangeLength } from './range.ts';

test('a range includes both ends and may begin below zero', () => {
  const range = parseRange('-1..2');
  expect(range && [...rangeItems(range)]).toEqual([-1, 0, 1, 2]);
  expect(range && rangeLength(range)).toBe(4);
});

test.each(['1', '1...3', 'a..b', './1..3', '1..2.txt', '1.5..2'])(
  '%s is no range but a file name',
  (text) => {
    expect(parseRange(text)).toBeUndefined();
  },
);

test.each(['1..x', '0.5..3', '1...5', '1..1e3', '-1..+2', '1..'])('%s was meant as a range', (text) => {
  expect(isMeantAsRange(text)).toBe(true);
});

test.each(['data.xml', '../1..2', 'a..b', '2017.ndjson', 'runs/1..3'])('%s is the name of a file', (text) => {
  expect(isMeantAsRange(text)).toBe(false);
});

test('a range that counts down, or whose numbers are not exact, is refused with what to type', () => {
  expect(() => parseRange('3..1')).toThrow('Try 1..3.');
  expect(() => parseRange('1..99999999999999999999')).toThrow('too large to be exact');
});
