import { expect, test } from 'vitest';
import { checkOptions, oneOf, readOnce, wholeNumber } from './option-checks.ts';

const check = (options: unknown): void =>
  checkOptions('Options', options, { count: wholeNumber(1, 10), mode: oneOf('a', 'b') });

test('options that are as documented, undefined or left out pass', () => {
  check(undefined);
  check({});
  check({ count: undefined });
  check({ count: 10, mode: 'a' });
});

test.each([
  [{ count: 11 }, RangeError, 'count has to be a whole number from 1 to 10, not 11.'],
  [{ count: '1' }, TypeError, 'count has to be a whole number from 1 to 10, not "1".'],
  [{ count: null }, TypeError, 'count has to be a whole number from 1 to 10, not null.'],
  [{ count: 1n }, TypeError, 'count has to be a whole number from 1 to 10, not 1n.'],
  [{ mode: 'c' }, RangeError, "mode has to be 'a' or 'b', not \"c\"."],
  [{ mode: ['a'] }, TypeError, "mode has to be 'a' or 'b', not an array."],
  [{ cuont: 1 }, TypeError, 'Options: there is no option "cuont". Did you mean count?'],
  [{ toString: 1 }, TypeError, 'Options: there is no option "toString". There are: count, mode.'],
  [null, TypeError, 'Options has to be an object, not null.'],
  [[], TypeError, 'Options has to be an object, not an array.'],
  [new Map([['count', 1]]), TypeError, 'Options has to be an object, not a Map.'],
  [Promise.resolve({ count: 1 }), TypeError, 'Options has to be an object, not a Promise.'],
  [{ count: new Map() }, TypeError, 'count has to be a whole number from 1 to 10, not a Map.'],
])('%o is refused', (options, kind, message) => {
  expect(() => check(options)).toThrow(new kind(message));
});

class Defaults {
  readonly mode = 'a';
  get count(): number {
    return 11;
  }
  method(): void {}
}

test.each([
  [Object.create({ count: 11 }), 'by a prototype'],
  [new Defaults(), 'by a getter of a class'],
  [Object.assign(Object.create({ count: 11 }), { mode: 'a' }), 'by a prototype, beside its own'],
])('an option that comes %2$s is checked as its own', (options) => {
  expect(() => check(options)).toThrow(
    new RangeError('count has to be a whole number from 1 to 10, not 11.'),
  );
});

test('options are read once, with those that come by a prototype', () => {
  let reads = 0;
  const given = Object.create(new Defaults(), { own: { enumerable: true, get: () => ++reads } });
  expect(readOnce(given)).toEqual({ own: 1, mode: 'a', count: 11 });
  expect(reads).toBe(1);
  for (const none of [undefined, null, 1, [1], new Map()]) expect(readOnce(none)).toBe(none);
});
