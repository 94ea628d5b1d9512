import { JobCancelledError, pastDeadline } from '@shoal/errors';
import { expect, test } from 'vitest';
import { JobDeadline } from './job-deadline.ts';

const past = { code: 'JOB_DEADLINE', facts: { limit: '2 s' } };

test('what has passed of a deadline is not there for the job, and it never gets nothing', () => {
  let nowMs = 1_000;
  const deadline = new JobDeadline(2_000, () => nowMs);
  nowMs += 500.5;
  expect(deadline.leftMs).toBe(1_500);
  nowMs += 5_000;
  expect(deadline.leftMs).toBe(1);
});

test('without a deadline there is none', async () => {
  const deadline = new JobDeadline(undefined);
  expect(deadline.leftMs).toBeUndefined();
  expect(await deadline.during(Promise.resolve(1), () => {})).toBe(1);
});

test('work that is not done when it passes is told so, in the words of the user', async () => {
  let nowMs = 0;
  const deadline = new JobDeadline(2_000, () => nowMs);
  nowMs = 1_999;
  const { promise, reject } = Promise.withResolvers<void>();
  await expect(deadline.during(promise, reject)).rejects.toMatchObject(past);
});

test('an error that tells of what was left of it tells of all of it; others stay what they are', () => {
  const deadline = new JobDeadline(2_000);
  expect(deadline.told(new JobCancelledError({ limit: '7 ms' }, 'JOB_DEADLINE'))).toMatchObject(past);
  const waiting = deadline.told(pastDeadline(7, 'no agents are connected'));
  expect(waiting).toMatchObject({ facts: { limit: '2 s', waitingFor: 'no agents are connected' } });
  const cancelled = new JobCancelledError({ reason: 'enough' });
  expect(deadline.told(cancelled)).toBe(cancelled);
});
