import { RemoteError } from '@shoal/errors';
import { expect, test } from 'vitest';
import { rebuildThrown } from './rebuilt-error.ts';
import { decodeError, describeThrown, encodeError, summarize } from './remote-error.ts';

const trip = (thrown: unknown, encoding: 'v8' | 'json' = 'v8'): Error =>
  rebuildThrown(decodeError(encoding, encodeError(encoding, describeThrown(thrown))));

test('an error keeps class, message, code, own fields, cause and stack', () => {
  const error = Object.assign(new TypeError('bad', { cause: new RangeError('deep') }), {
    code: 'E_BAD',
    row: { n: 7 },
  });
  for (const encoding of ['v8', 'json'] as const) {
    const rebuilt = trip(error, encoding);
    expect(rebuilt).toBeInstanceOf(TypeError);
    expect(rebuilt).toMatchObject({
      name: 'TypeError',
      message: 'bad',
      code: 'E_BAD',
      row: { n: 7 },
      stack: error.stack,
    });
    expect(rebuilt.cause).toBeInstanceOf(RangeError);
  }
});

test("an error of the user's own class keeps its name", () => {
  class BadRecord extends Error {
    override readonly name = 'BadRecord';
  }
  expect(trip(new BadRecord('x'))).toMatchObject({ name: 'BadRecord', message: 'x' });
});

test('an AggregateError keeps its errors', () => {
  const rebuilt = trip(new AggregateError([new Error('a'), 'b'], 'both')) as AggregateError;
  expect(rebuilt).toBeInstanceOf(AggregateError);
  expect(rebuilt.errors.map((error: Error) => error.message)).toEqual([
    'a',
    'b was thrown, which is no Error',
  ]);
});

test('fields that cannot travel are left out, the others are not', () => {
  const rebuilt = trip(Object.assign(new Error('x'), { callback: () => 1, kept: 1 }));
  expect(rebuilt).toMatchObject({ kept: 1 });
  expect('callback' in rebuilt).toBe(false);
});

test.each([['text'], [undefined], [null], [7], [{ a: 1 }]])(
  'what is no error (%s) comes as RemoteError with the value',
  (thrown) => {
    const rebuilt = trip(thrown);
    expect(rebuilt).toBeInstanceOf(RemoteError);
    expect(rebuilt.cause).toEqual(thrown);
  },
);

const trap = (): never => {
  throw new Error('trap');
};
const hostile = new Proxy(new Error('x'), { get: trap, getPrototypeOf: trap, ownKeys: trap, has: trap });

test.each([[hostile], [() => 1], [Symbol('s')], [Object.create(Error.prototype)]])(
  'nothing that is thrown makes us throw (%#)',
  (thrown) => {
    expect(trip(thrown)).toBeInstanceOf(Error);
  },
);

test('circular causes end', () => {
  const error = new Error('round');
  error.cause = error;
  expect(trip(error).message).toBe('round');
});

test('bytes that are no error are described as such', () => {
  expect(decodeError('v8', Buffer.from('nonsense')).message).toBe('The error could not be read.');
});

test('a summary is one line of name and message, at most 1 KiB', () => {
  expect(summarize({ name: 'TypeError', message: 'bad' })).toBe('TypeError: bad');
  expect(summarize({ name: 'Error', message: 'x'.repeat(5_000) }).length).toBeLessThan(1_024);
});
