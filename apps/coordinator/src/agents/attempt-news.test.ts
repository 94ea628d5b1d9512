import { Encoding, FailedTry, type FailureKind } from '@shoal/protocol';
import { expect, test } from 'vitest';
import { failureOf, lieOf } from './attempt-news.ts';

test('a kind of failure that is not known counts as thrown: it has a limit as every other', () => {
  const failed = FailedTry.fromPartial({ index: 3, retryable: true, summary: 'no' });
  expect(failureOf('a', { ...failed, kind: 99 as FailureKind })).toMatchObject({
    kind: 'thrown',
    retryable: true,
  });
});

test('fewer bytes than values are a lie in every encoding, bytes without frames where there must be some', () => {
  const bytes = Buffer.from('ffffffffff', 'hex');
  expect(lieOf(Encoding.V8, 6, bytes)).toBe('6 values in 5 bytes');
  expect(lieOf(Encoding.V8, 1, bytes)).toBeUndefined();
  expect(lieOf(Encoding.JSON, 1, bytes)).toBe('1 values in 5 bytes that are not framed');
  expect(lieOf(Encoding.BYTES, 1, Buffer.from('0100000007', 'hex'))).toBeUndefined();
});
