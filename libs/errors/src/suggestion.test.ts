import { expect, test } from 'vitest';
import { nearestName } from './suggestion.ts';

test('a typing error finds the name that was meant', () => {
  expect(nearestName('sqaure', ['cube', 'square'])).toBe('square');
  expect(nearestName('chunksize', ['chunkSize', 'timeoutMs'])).toBe('chunkSize');
  expect(nearestName('timeout', ['chunkSize', 'timeoutMs'])).toBe('timeoutMs');
});

test('a name that resembles none finds none', () => {
  expect(nearestName('frobnicate', ['cube', 'square'])).toBeUndefined();
  expect(nearestName('x', [])).toBeUndefined();
});
