import { RemoteError } from '@shoal/errors';
import { expect, test } from 'vitest';
import { encodeValue } from './block-codec.ts';
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

test.each(['v8', 'json'] as const)(
  'a DOMException stays one, with name, code, cause and stack (%s)',
  (encoding) => {
    const thrown = Object.assign(new DOMException('gone', 'AbortError'), {
      cause: new TypeError('why'),
      row: 7,
    });
    const rebuilt = trip(thrown, encoding);
    expect(rebuilt).toBeInstanceOf(DOMException);
    expect([rebuilt.name, rebuilt.message, rebuilt.stack]).toEqual(['AbortError', 'gone', thrown.stack]);
    expect(rebuilt).toMatchObject({ code: 20, row: 7, cause: { message: 'why' } });
    expect(trip(new Error('outside', { cause: thrown }), encoding).cause).toBeInstanceOf(DOMException);
  },
);

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

test.each(['v8', 'json'] as const)('a SuppressedError keeps both of its errors (%s)', (encoding) => {
  const thrown = new SuppressedError(
    new RangeError('while disposing'),
    new SuppressedError('text', Object.assign(new TypeError('the real one'), { row: 7 })),
    'two',
  );
  const rebuilt = trip(thrown, encoding) as SuppressedError;
  expect(rebuilt).toBeInstanceOf(SuppressedError);
  expect(rebuilt).toMatchObject({ name: 'SuppressedError', message: 'two', stack: thrown.stack });
  expect(rebuilt.error).toBeInstanceOf(RangeError);
  expect(rebuilt.error).toMatchObject({ message: 'while disposing' });
  expect(rebuilt.suppressed).toBeInstanceOf(SuppressedError);
  const { error, suppressed } = rebuilt.suppressed as SuppressedError;
  expect(error).toBe('text');
  expect(suppressed).toBeInstanceOf(TypeError);
  expect(suppressed).toMatchObject({ message: 'the real one', row: 7 });
});

test('a SuppressedError whose errors hold it and one another comes to an end', () => {
  const ring = new SuppressedError(undefined, undefined, 'ring');
  ring.error = ring;
  ring.suppressed = ring;
  expect(trip(ring)).toMatchObject({ name: 'SuppressedError', message: 'ring' });
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

test('what of an error is not as it should be is left out, in either encoding', () => {
  const written: unknown = {
    name: 'Error',
    message: 'm',
    stack: 5,
    code: {},
    fields: null,
    cause: 5,
    errors: [null],
    thrown: 7,
  };
  for (const [encoding, bytes] of [
    ['v8', encodeValue(written)],
    ['json', Buffer.from(JSON.stringify(written))],
  ] as const) {
    expect(decodeError(encoding, bytes)).toEqual({ name: 'Error', message: 'm' });
  }
  const aList: unknown[] = [];
  aList.length = 2 ** 32 - 1;
  expect(
    decodeError('v8', encodeValue({ name: 'Error', message: 'm', errors: aList, fields: aList })),
  ).toEqual({
    name: 'Error',
    message: 'm',
  });
});

test('an error that stands behind itself, or twice behind each of two, ends', () => {
  const round: Record<string, unknown> = { name: 'Error', message: 'round' };
  round['cause'] = round;
  expect(decodeError('v8', encodeValue(round))).toEqual({ name: 'Error', message: 'round' });
  let twice: object = { name: 'Error', message: 'a leaf' };
  for (let depth = 0; depth < 60; depth++) twice = { name: 'Error', message: 'm', errors: [twice, twice] };
  expect(rebuildThrown(decodeError('v8', encodeValue(twice)))).toBeInstanceOf(Error);
});

test('a summary is one line of name and message, at most 1 KiB', () => {
  expect(summarize({ name: 'TypeError', message: 'bad' })).toBe('TypeError: bad');
  expect(summarize({ name: 'Error', message: 'x'.repeat(5_000) }).length).toBeLessThan(1_024);
});
