import { expect, test } from 'vitest';
import {
  ItemError,
  JobCancelledError,
  PoolClosedError,
  PoolTerminatedError,
  RemoteError,
  ShoalError,
  TimeoutError,
} from './shoal-error.ts';

test('an item error names the last process that ran the item, and carries the cause', () => {
  const cause = new TypeError('bad record');
  const error = new ItemError({
    code: 'ITEM_THREW',
    index: 137,
    task: 'square',
    attempts: [
      { agent: 'agent-1', pid: 4711, ms: 3 },
      { agent: 'agent-2', pid: 4720, ms: 2 },
    ],
    facts: { reason: 'TypeError: bad record', where: 'square, agent-2 pid 4720, attempt 2 of 2' },
    cause,
  });
  expect(error).toMatchObject({
    name: 'ItemError',
    code: 'ITEM_THREW',
    index: 137,
    task: 'square',
    agent: 'agent-2',
    pid: 4720,
    message: 'Item 137 failed: TypeError: bad record (square, agent-2 pid 4720, attempt 2 of 2).',
  });
  expect(error.cause).toBe(cause);
  expect(error.attempts).toHaveLength(2);
});

test('an item error tells how the others fared, where that is known', () => {
  const error = new ItemError({
    code: 'ITEM_THREW',
    index: 1,
    task: 'f',
    attempts: [],
    facts: { reason: 'Error: no', where: 'f', others: '4,209 others succeeded.' },
  });
  expect(error.message).toBe('Item 1 failed: Error: no (f). 4,209 others succeeded.');
});

test('an item error with a code that is none of an item is told as it came', () => {
  for (const code of ['NEW_CODE', '__proto__', 'constructor', '', 'POOL_TERMINATED']) {
    const summary = 'it rained\u001b[2J';
    const told = new ItemError({ code, index: 4, task: 'f', attempts: [{ pid: 7 }], facts: {}, summary });
    expect([told.code, told.index, told.pid, told.retryable]).toEqual([code, 4, 7, false]);
    expect(told.message).toBe(
      `Item 4 failed with "${code}", a code of which this version knows no more: it rained\\u001b[2J.`,
    );
  }
  const silent = new ItemError({ code: 'NEW_CODE', index: 4, task: 'f', attempts: [], facts: {} });
  expect(silent.message).toBe('Item 4 failed with "NEW_CODE", a code of which this version knows no more.');
});

test('every class has its stable code, and a cause only where one was given', () => {
  expect(new PoolClosedError().code).toBe('POOL_CLOSED');
  expect(new PoolTerminatedError().code).toBe('POOL_TERMINATED');
  expect(new JobCancelledError().code).toBe('JOB_CANCELLED');
  expect(new JobCancelledError({ limit: '5 s' }, 'JOB_DEADLINE').code).toBe('JOB_DEADLINE');
  const timedOut = new TimeoutError({ what: 'next()', limit: '1 s' });
  expect(timedOut).toMatchObject({ name: 'TimeoutError', code: 'TIMED_OUT', retryable: true });
  expect('cause' in timedOut).toBe(false);
  for (const error of [new PoolClosedError(), timedOut]) expect(error).toBeInstanceOf(ShoalError);
});

test('a remote error keeps the name that the original had', () => {
  expect(new RemoteError('gone', 'HttpError')).toMatchObject({
    name: 'RemoteError',
    remoteName: 'HttpError',
    message: 'gone',
  });
});
