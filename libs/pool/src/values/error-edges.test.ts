/** What is kept of an error, one below each limit, at it and one beyond. */
import { afterEach, describe, expect, test } from 'vitest';
import { triedLimit } from '../../../../test/limit-edges.ts';
import { defaultOutputLimits } from '../child-pool/output-limits.ts';
import { decodeError, describeThrown, encodeError, limitErrors } from './remote-error.ts';

afterEach(() => limitErrors(defaultOutputLimits));
const limit = (limits: Partial<typeof defaultOutputLimits>): void =>
  limitErrors({ ...defaultOutputLimits, ...limits });

test.each([9, 10, 11])('a message of %i characters is cut beyond 10', (chars) => {
  limit({ errorChars: 10 });
  const { message } = describeThrown(new Error('m'.repeat(chars)));
  triedLimit('errorMessageChars', chars, 10);
  expect(message).toBe(chars <= 10 ? 'm'.repeat(chars) : `${'m'.repeat(10)}…`);
});

test.each([9, 10, 11])('a stack of %i characters is cut beyond 10', (chars) => {
  limit({ errorChars: 10 });
  const { stack } = describeThrown(Object.assign(new Error('m'), { stack: 's'.repeat(chars) }));
  triedLimit('errorStackChars', chars, 10);
  expect(stack).toBe(chars <= 10 ? 's'.repeat(chars) : `${'s'.repeat(10)}…`);
});

test.each([
  [1, ['0', '1']],
  [2, ['0', '1', '2']],
  // The third one is told in words, and what is behind it not at all.
  [3, ['0', '1', '2', 'object']],
])('with %i causes, of which 2 are kept, there are %j', (causes, names) => {
  limit({ errorDepth: 2 });
  let error = new Error(`${causes}`);
  for (let at = causes - 1; at >= 0; at--) error = new Error(`${at}`, { cause: error });
  const found: string[] = [];
  for (let at: unknown = describeThrown(error); at !== undefined; ) {
    const { cause, message, name, thrown } = at as Record<string, unknown>;
    found.push(String(thrown === undefined ? message : name));
    at = cause;
  }
  expect(found).toEqual(names);
  triedLimit('errorCauseDepth', causes, 2);
});

test.each([2, 3, 4])('of %i own fields 3 are kept', (count) => {
  limit({ errorFields: 3 });
  const own = Object.fromEntries(Array.from({ length: count }, (_, at) => [`field${at}`, at]));
  const { fields } = describeThrown(Object.assign(new Error('m'), own));
  expect(Object.keys(fields ?? {})).toEqual(['field0', 'field1', 'field2'].slice(0, count));
  triedLimit('errorFields', Object.keys(own).length, 3);
});

describe.each(['v8', 'json'] as const)('in %s', (encoding) => {
  test.each([-1, 0, 1])('an error that is %i bytes from the limit keeps its fields up to it', (off) => {
    const errorBytes = 16_384;
    const written = (chars: number): Uint8Array =>
      encodeError(encoding, { name: 'Error', message: 'm', fields: { field: 'f'.repeat(chars) } });
    // So that it is measured, and not cut.
    limit({ errorBytes: 2 * errorBytes });
    const frame = written(10_000).byteLength - 10_000;
    limit({ errorBytes });
    const bytes = written(errorBytes - frame + off);
    const { fields, message } = decodeError(encoding, bytes);
    expect([message, fields === undefined]).toEqual(['m', off > 0]);
    triedLimit('errorBytes', errorBytes + off, errorBytes);
    if (off <= 0) expect(bytes.byteLength).toBe(errorBytes + off);
  });
});
