import { CreateJobRequest, JobState } from '@shoal/protocol';
import { expect, test } from 'vitest';
import { explainedFailure, finalFailure } from './final-failure.ts';
import { jobEnded } from './job-end.ts';
import type { CheckedRequest } from './job-request.ts';

const { options } = CreateJobRequest.fromPartial({ options: { deadlineMs: 90_000, timeoutMs: 30_000 } });
const job = {
  id: 'job-1',
  view: { succeeded: 4, failed: 1 },
  request: { options } as CheckedRequest,
  unrunnable: undefined,
};

test('a failure says what ended its last try, and every try', () => {
  const attempts = [
    { agent: 'agent-1', pid: 4711, signal: 'SIGSEGV' },
    { agent: 'agent-2', pid: 4720, exitCode: 3 },
  ];
  const failure = finalFailure(
    { index: 7, failure: { kind: 'crash', attempts, stderrTail: 'boom' } },
    undefined,
  );
  expect(failure).toMatchObject({
    index: 7,
    code: 'ITEM_KILLED_CHILD',
    attempts: [
      { agent: 'agent-1', pid: 4711, signal: 'SIGSEGV' },
      { agent: 'agent-2', exitCode: 3 },
    ],
    stderrTail: 'boom',
  });
});

test('the code that the agent reported wins over that of the kind', () => {
  const tried = { code: 'RESULT_TOO_LARGE', error: new Uint8Array(), summary: '', facts: { size: '71 MiB' } };
  const failure = finalFailure({ index: 7, failure: { kind: 'thrown', attempts: [] } }, tried);
  expect(failure).toMatchObject({ code: 'RESULT_TOO_LARGE', facts: { size: '71 MiB' } });
});

test('to a client without the catalogue a failure says its message where nothing was thrown, and the facts of it', () => {
  const attempts = [{ agent: 'agent-1', pid: 4711, signal: 'SIGKILL' }];
  const told = (kind: 'timeout' | 'crash' | 'lost') =>
    explainedFailure(finalFailure({ index: 7, failure: { kind, attempts } }, undefined), 300);
  const where = 'agent-1 pid 4711 (SIGKILL)';
  expect(told('timeout')).toMatchObject({
    facts: { index: '7', limit: '300 ms', where },
    summary: expect.stringContaining(`Item 7 ran longer than 300 ms on ${where}`),
  });
  expect(told('crash').summary).toContain(`Item 7 killed its process once (${where})`);
  expect(told('lost').facts).toEqual({ index: '7', losses: 'once', where });
});

test('what a function threw stays the summary of its failure, and what an agent says of a result is left alone', () => {
  const tried = { code: '', error: new Uint8Array(), summary: 'TypeError: bad', facts: {} };
  const failure = { kind: 'thrown', attempts: [] } as const;
  expect(explainedFailure(finalFailure({ index: 7, failure }, tried), 0)).toMatchObject({
    facts: { index: '7', reason: 'TypeError: bad', where: 'no agent' },
    summary: 'TypeError: bad',
  });
  const refused = finalFailure({ index: 7, failure }, { ...tried, code: 'RESULT_TOO_LARGE' });
  expect(explainedFailure(refused, 0)).toBe(refused);
});

test('a job that failed fast ends with the words of its first failure', () => {
  const tried = { code: 'ITEM_THREW', error: Uint8Array.of(1), summary: 'TypeError: bad', facts: {} };
  const attempts = [{ agent: 'agent-2', pid: 4720 }];
  const failure = finalFailure({ index: 7, failure: { kind: 'thrown', attempts } }, tried);
  const ended = jobEnded(job, { state: 'failedFast', index: 7 }, { failure });
  expect(ended).toMatchObject({ state: JobState.FAILED_FAST, failedIndex: 7, succeeded: 4, failed: 1 });
  expect(ended.error?.message).toBe('Item 7 failed: TypeError: bad (agent-2 pid 4720).');
  expect([...(ended.error?.error ?? [])]).toEqual([1]);
});

test('a deadline that passed while nothing ran says what the job waited for', () => {
  const waitingFor = 'no agent has label gpu=yes';
  const { error } = jobEnded(job, { state: 'deadline' }, { waitingFor });
  expect(error).toMatchObject({
    code: 'JOB_DEADLINE',
    facts: { limit: '90 s', waitingFor },
    message:
      'The job did not finish within its deadline of 90 s. It waited: no agent has label gpu=yes. Raise deadlineMs where waiting longer helps.',
  });
});

test('a deadline and a cancellation say which and why', () => {
  expect(jobEnded(job, { state: 'deadline' }).error).toMatchObject({
    code: 'JOB_DEADLINE',
    facts: { limit: '90 s' },
  });
  expect(jobEnded(job, { state: 'cancelled', reason: 'enough' }).error).toMatchObject({
    code: 'JOB_CANCELLED',
    facts: { reason: 'enough' },
  });
});
