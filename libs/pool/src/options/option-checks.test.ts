import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import {
  checkOptions,
  environment,
  labelRecord,
  list,
  oneOf,
  stringList,
  wholeNumber,
} from './option-checks.ts';

const checks = { count: wholeNumber(1, 10), mode: oneOf('a', 'b') };
const check = (options: unknown): unknown => checkOptions('Options', options, checks);

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
  get described(): string {
    return 'of no interest';
  }
  method(): void {}
}

test.each([
  [Object.create({ count: 11 }), 'by a prototype'],
  [new Defaults(), 'by a getter of a class'],
  [Object.assign(Object.create({ count: 11 }), { mode: 'a' }), 'by a prototype, beside its own'],
  [runInNewContext('({ count: 11 })'), 'from another realm'],
])('an option that comes %2$s is checked as its own', (options) => {
  expect(() => check(options)).toThrow(
    new RangeError('count has to be a whole number from 1 to 10, not 11.'),
  );
});

test('a name that nobody knows is found in a prototype, too', () => {
  expect(() => check(Object.create({ cuont: 1 }))).toThrow('there is no option "cuont"');
});

test('what an old library has given to all objects is no option', ({ onTestFinished }) => {
  onTestFinished(() => {
    Reflect.deleteProperty(Object.prototype, 'extra');
  });
  Reflect.set(Object.prototype, 'extra', () => {});
  expect(check({ count: 1 })).toEqual({ count: 1 });
  expect(() => check({ cuont: 1 })).toThrow('there is no option "cuont"');
});

/** A getter that gives `good` the first time that it is read, and `bad` from then on. */
function turning(good: unknown, bad: unknown): PropertyDescriptor {
  let reads = 0;
  return { enumerable: true, get: () => (++reads === 1 ? good : bad) };
}

test.each([
  ['a record of values', environment, Object.defineProperty({}, 'x', turning('a', 1)), { x: 'a' }],
  ['labels', labelRecord, Object.defineProperty({}, 'x', turning('a', 1)), { x: 'a' }],
  ['a list of strings', stringList, Object.defineProperty([], 0, turning('a', 1)), ['a']],
  ['a list', list, Object.defineProperty([], 0, turning(1, 2)), [1]],
])('each part of %s is read once, and what counts is what was looked at', (_, look, given, wanted) => {
  const taken = look('option', given);
  expect(taken).toEqual(wanted);
  expect(taken).not.toBe(given);
});

test('what was read of options that are refused is known to whoever asked for it', () => {
  const given: Record<string, unknown> = {};
  expect(() => checkOptions('Options', { count: 5, mode: 'c' }, checks, given)).toThrow(/^mode has to be/);
  expect(given).toEqual({ count: 5, mode: 'c' });
});

test('each option is read once, and what is returned is a copy of what was checked', () => {
  let reads = 0;
  const given = Object.create({ mode: 'a' }, { count: { enumerable: true, get: () => ++reads } });
  expect(checkOptions('Options', given, checks)).toEqual({ mode: 'a', count: 1 });
  expect(reads).toBe(1);
  expect(checkOptions('Options', runInNewContext('({ count: 2 })'), checks)).toEqual({ count: 2 });
  expect(checkOptions('Options', undefined, checks)).toBeUndefined();
});
