import { ShoalError } from '@shoal/errors';
import { expect, test } from 'vitest';
import { connect } from './connect.ts';
import { FakeCoordinator, until } from './fake-coordinator.testkit.ts';

const plusOne = (n: number): number => n + 1;
const past = (limit: string): object => ({ code: 'JOB_DEADLINE', facts: { limit } });

/** An input of one item that does not end while the test lasts. */
async function* endless(): AsyncGenerator<number> {
  yield 1;
  await new Promise(() => {});
}

test('G26: a coordinator that falls silent once it has the job holds nobody beyond the deadline', async () => {
  await using coordinator = await FakeCoordinator.start();
  await using pool = await connect(coordinator.address);
  coordinator.onBlock = () => coordinator.wire.fallSilent();
  await expect(pool.map(plusOne, endless(), { deadlineMs: 400 })).rejects.toMatchObject(past('400 ms'));
});

test('G26: nor does one that was left in the middle of the job', async () => {
  await using coordinator = await FakeCoordinator.start();
  await using pool = await connect(coordinator.address);
  coordinator.onBlock = () => coordinator.wire.cut({ refuse: true });
  const error: unknown = await pool.map(plusOne, endless(), { deadlineMs: 400 }).catch((reason) => reason);
  expect(error).toMatchObject(past('400 ms'));
  expect(error).toMatchObject({ facts: { waitingFor: expect.stringMatching(/was lost, trying again$/) } });
});

test('what the coordinator is told of a deadline is what the way to it has left', async () => {
  await using coordinator = await FakeCoordinator.start();
  await using pool = await connect(coordinator.address);
  const deadlineMs = 600_000;
  const startedAtMs = performance.now();
  const input = async function* (): AsyncGenerator<number> {
    yield 1;
  };
  await pool.map(plusOne, input(), { deadlineMs });
  const passedMs = performance.now() - startedAtMs;
  const told = coordinator.jobs[0]?.request.options?.deadlineMs ?? 0;
  expect(told).toBeLessThanOrEqual(deadlineMs);
  expect(told).toBeGreaterThanOrEqual(deadlineMs - passedMs);
  await pool.map(plusOne, [1], { deadlineMs, requestId: 'mine' });
  // Two requests under one id have to be alike.
  expect(coordinator.jobs[1]?.request.options?.deadlineMs).toBe(deadlineMs);
});

test('G26: a coordinator that got the job late, and is heard, does not judge: the job is cancelled there', async () => {
  await using coordinator = await FakeCoordinator.start();
  await using pool = await connect(coordinator.address);
  const startedAtMs = performance.now();
  // The request is made again for more than a second: so much may the coordinator be late, as far as the client knows.
  coordinator.onDone = (call) => {
    if (call === 'createJob' && performance.now() - startedAtMs < 1_050) coordinator.wire.cut();
  };
  const late = pool.map(plusOne, endless(), { deadlineMs: 1_500 });
  await expect(late).rejects.toMatchObject(past('1.5 s'));
  await until('it is cancelled', () => coordinator.calls.includes('cancelJob'));
});

test('a pool that is ended as soon as a job of it has failed here lets the coordinator hear of it first', async () => {
  await using coordinator = await FakeCoordinator.start();
  const pool = await connect(coordinator.address);
  coordinator.onBlock = () => {
    throw new ShoalError('INTERNAL', { reason: 'no more of this' });
  };
  await expect(pool.map(plusOne, endless())).rejects.toMatchObject({ code: 'INTERNAL' });
  await pool.terminate();
  // Looked at without a wait: whoever exits now leaves nothing with the coordinator.
  expect(coordinator.calls).toContain('cancelJob');
});
