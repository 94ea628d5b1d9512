import { limits } from '@shoal/protocol';
import { expect, test } from 'vitest';
import { checkLabels } from './label-check.ts';

const labels = (count: number, chars: number = 1): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`label-${at}`, 'x'.repeat(chars)]));
const most = limits.labelEntries.default;
const chars = limits.nameChars.default;

test.each([0, most - 1, most])('%i labels are taken', (count) => {
  expect(() => checkLabels('labels', labels(count), most)).not.toThrow();
});

test('one more is refused, with the option', () => {
  expect(() => checkLabels('labels', labels(most + 1), most)).toThrow(
    expect.objectContaining({
      code: 'REQUEST_INVALID',
      message: 'labels: are 65, and may be 64 (shoal coordinator --max-labels).',
    }),
  );
});

test.each([
  ['name', (length: number) => ({ ['n'.repeat(length)]: 'v' })],
  ['value', (length: number) => ({ n: 'v'.repeat(length) })],
])('the %s of a label has 100 characters at most', (_, of) => {
  for (const length of [chars - 1, chars])
    expect(() => checkLabels('labels', of(length), most)).not.toThrow();
  expect(() => checkLabels('labels', of(chars + 1), most)).toThrow(
    /^labels: n+ is longer than 100 characters\./,
  );
});

test.each([{ 'a b': 'x' }, { _x: 'x' }, { n: '' }, { n: 'a\0' }, JSON.parse('{"__proto__":"x"}')])(
  '%j is refused',
  (wrong) => {
    expect(() => checkLabels('labels', wrong, most)).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID', message: expect.stringMatching(/^labels: /) }),
    );
  },
);
