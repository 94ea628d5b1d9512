import { describe, expect, test } from 'vitest';
import { decodeError, describeThrown, encodeError } from './remote-error.ts';

const big = 'x'.repeat(10_000_000);

describe.each(['v8', 'json'] as const)('an error written as %s', (encoding) => {
  test('with small fields keeps them', () => {
    const thrown = Object.assign(new TypeError('bad record'), { record: 7 });
    const data = decodeError(encoding, encodeError(encoding, describeThrown(thrown)));
    expect(data).toMatchObject({ name: 'TypeError', message: 'bad record', fields: { record: 7 } });
  });

  test('with a field of 10 MB loses its fields and keeps its name, message and causes', () => {
    const thrown = Object.assign(new Error('outer', { cause: new RangeError('inner') }), { big });
    const bytes = encodeError(encoding, describeThrown(thrown));
    expect(bytes.byteLength).toBeLessThan(256 * 1024);
    expect(decodeError(encoding, bytes)).toMatchObject({
      name: 'Error',
      message: 'outer',
      cause: { name: 'RangeError', message: 'inner' },
    });
    expect(decodeError(encoding, bytes)).not.toHaveProperty('fields');
  });

  test('with a thousand long causes keeps its own message', () => {
    const errors = Array.from({ length: 1_000 }, () => new Error('y'.repeat(16_000)));
    const bytes = encodeError(encoding, describeThrown(new AggregateError(errors, 'all failed')));
    expect(bytes.byteLength).toBeLessThan(256 * 1024);
    expect(decodeError(encoding, bytes)).toMatchObject({ name: 'AggregateError', message: 'all failed' });
  });

  test('with big fields in what it suppressed keeps what was thrown', () => {
    const real = Object.assign(new Error('the real one'), { big });
    const data = decodeError(
      encoding,
      encodeError(encoding, describeThrown(new SuppressedError(real, real))),
    );
    expect(data).toMatchObject({
      name: 'SuppressedError',
      error: { message: 'the real one' },
      suppressed: { message: 'the real one' },
    });
    expect(data.suppressed).not.toHaveProperty('fields');
  });

  test('that is a thrown string of 10 MB is described by its beginning', () => {
    const bytes = encodeError(encoding, describeThrown(big));
    expect(bytes.byteLength).toBeLessThan(256 * 1024);
    expect(decodeError(encoding, bytes).message).toMatch(/^x+…$/);
  });

  test('with a field that refers to itself can still be written', () => {
    const ring: { self?: unknown } = {};
    ring.self = ring;
    const data = decodeError(
      encoding,
      encodeError(encoding, describeThrown(Object.assign(new Error('ring'), { ring }))),
    );
    expect(data).toMatchObject({ name: 'Error', message: 'ring' });
  });
});
