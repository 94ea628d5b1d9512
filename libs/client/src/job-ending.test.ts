import { JobCancelledError } from '@shoal/errors';
import { type JobEnded, JobState } from '@shoal/protocol';
import { expect, test } from 'vitest';
import { endErrorOf, fastFailureOf } from './job-ending.ts';

const request = { encoding: 'v8' } as const;
const ended = (said: Partial<JobEnded>): JobEnded => ({
  state: JobState.CANCELLED,
  succeeded: 0,
  failed: 0,
  error: undefined,
  ...said,
});
const error = (code: string, facts: Readonly<Record<string, string>>): NonNullable<JobEnded['error']> => ({
  code,
  facts,
  message: '',
  error: new Uint8Array(),
});
const notLoaded = error('TASK_LOAD_FAILED', { module: 'work.ts', reason: 'no' });

test('a job that was done has no error', () => {
  expect(endErrorOf(ended({ state: JobState.COMPLETED }), request, undefined)).toBeUndefined();
});

test('an end with an error of the catalogue is that error', () => {
  const told = endErrorOf(ended({ error: notLoaded }), request, undefined);
  expect(told).toMatchObject({ code: 'TASK_LOAD_FAILED', message: 'work.ts cannot be loaded: no.' });
});

test('a deadline is told as the caller gave it, whatever the coordinator had left of it', () => {
  const end = ended({
    state: JobState.DEADLINE,
    error: error('JOB_DEADLINE', { limit: '3 s', waitingFor: 'all slots busy' }),
  });
  const told = endErrorOf(end, { ...request, deadlineMs: 60_000 }, undefined);
  expect(told).toBeInstanceOf(JobCancelledError);
  expect(told).toMatchObject({ code: 'JOB_DEADLINE', facts: { limit: '60 s' } });
  expect(told?.message).toContain('It waited: all slots busy.');
});

test('only a fail-fast end has the failure that made it', () => {
  const fast = ended({
    state: JobState.FAILED_FAST,
    failedIndex: 3,
    error: error('ITEM_THREW', {}),
  });
  expect(fastFailureOf(fast)).toMatchObject({ index: 3, code: 'ITEM_THREW', attempts: [], summary: '' });
  expect(endErrorOf(fast, request, undefined)).toMatchObject({
    code: 'JOB_CANCELLED',
    message: 'The job was cancelled: item 3 failed, and failFast is set.',
  });
  expect(fastFailureOf(ended({ failedIndex: 3, error: notLoaded }))).toBeUndefined();
});

test('a fail-fast end by a failure of a code that is not known here keeps what was said of it', () => {
  const told = { ...error('NEW_CODE', {}), message: 'it rained' };
  const fast = ended({ state: JobState.FAILED_FAST, failedIndex: 3, error: told });
  expect(fastFailureOf(fast)).toMatchObject({ index: 3, code: 'NEW_CODE', summary: 'it rained' });
});

test('an end without a reason is a fault of ours', () => {
  expect(endErrorOf(ended({}), request, undefined)).toMatchObject({
    code: 'INTERNAL',
  });
});
