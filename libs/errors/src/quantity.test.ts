import { expect, test } from 'vitest';
import { bytesText, countedText, countText, durationText, timesText } from './quantity.ts';

test('counts have their thousands separated', () => {
  expect([0, 999, 1_000, 4_209, 1_234_567].map(countText)).toEqual([
    '0',
    '999',
    '1,000',
    '4,209',
    '1,234,567',
  ]);
});

test('what is counted is in the singular where it is one', () => {
  expect([countedText(0, 'item'), countedText(1, 'item'), countedText(4_209, 'item')]).toEqual([
    '0 items',
    '1 item',
    '4,209 items',
  ]);
  expect(countedText(2, 'process', 'processes')).toBe('2 processes');
});

test('durations are written in the unit that reads best', () => {
  expect([0, 250, 1_500, 30_000, 90_000, 300_000, 9_000_000, 259_200_000].map(durationText)).toEqual([
    '0 ms',
    '250 ms',
    '1.5 s',
    '30 s',
    '90 s',
    '5 min',
    '2.5 h',
    '3 days',
  ]);
});

test('sizes are written in binary units', () => {
  expect([512, 65_536, 71 * 1024 ** 2, 1.5 * 1024 ** 3].map(bytesText)).toEqual([
    '512 B',
    '64 KiB',
    '71 MiB',
    '1.5 GiB',
  ]);
});

test('a number of times has words of its own for one and two', () => {
  expect([1, 2, 3].map(timesText)).toEqual(['once', 'twice', '3 times']);
});
