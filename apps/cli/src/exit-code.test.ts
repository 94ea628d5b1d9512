import { ShoalError } from '@shoal/errors';
import { expect, test } from 'vitest';
import { exitCodeOf } from './exit-code.ts';

test.each([
  ['USAGE', 2],
  ['INPUT_INVALID', 2],
  ['TASK_EXPORT_MISSING', 2],
  ['CANNOT_CONNECT', 3],
  ['CONNECTION_LOST', 3],
  ['TLS_FAILED', 3],
  ['UNAUTHENTICATED', 1],
  ['PERMISSION_DENIED', 1],
  ['JOB_CANCELLED', 4],
  ['JOB_DEADLINE', 4],
  ['ITEM_THREW', 1],
  ['INSECURE_LISTEN', 1],
  ['ADDRESS_IN_USE', 1],
  ['BUNDLE_EXISTS', 1],
  ['AGENT_NOT_FOUND', 2],
] as const)('%s ends with %d', (code, expected) => {
  expect(exitCodeOf(new ShoalError(code))).toBe(expected);
});

test('an error that is none of ours ends with 1', () => {
  expect(exitCodeOf(new Error('oh'))).toBe(1);
});
