import type { PushItemsRequest } from '@shoal/protocol';
import { expect, test } from 'vitest';
import { ItemIntake } from './item-intake.ts';
import { Job } from './job.ts';
import type { CheckedRequest } from './job-request.ts';
import type { Jobs } from './jobs.ts';

const start = (firstIndex = 0): PushItemsRequest => ({
  message: { $case: 'start', value: { jobId: 'job-1', firstIndex, clientSession: '' } },
});
const block = (first: number, count: number): PushItemsRequest => ({
  message: {
    $case: 'block',
    value: { first, count, payload: new Uint8Array(count), more: false, totalBytes: 0, broadcastSha256: [] },
  },
});
const end = (totalItems: number): PushItemsRequest => ({
  message: { $case: 'endOfInput', value: { totalItems } },
});

/** A job that may take `grant` items, and what an intake does to its stream. */
function world(grant: number) {
  const job = new Job('job-1', {} as CheckedRequest, () => {});
  job.grantedUpTo = grant;
  const said: string[] = [];
  const jobs: Pick<Jobs, 'get' | 'push' | 'endInput'> = {
    get: () => job,
    push: (_, { first, count }) => {
      said.push(`take ${first}+${count}`);
      job.pushed += count;
    },
    endInput: () => {
      said.push('end of input');
      job.inputEnded = true;
    },
  };
  const intake = new ItemIntake(
    jobs as Jobs,
    {
      pause: () => said.push('pause'),
      resume: () => said.push('resume'),
      done: (accepted) => said.push(`done ${accepted}`),
      fail: (error) => said.push(`fail ${(error as { code?: string }).code}`),
    },
    1000,
  );
  return { intake, job, said };
}

test('blocks are taken until the end of the input', () => {
  const { intake, said } = world(100);
  for (const message of [start(), block(0, 10), block(10, 10), end(20)]) intake.take(message);
  expect(said).toEqual(['take 0+10', 'take 10+10', 'end of input', 'done 20']);
});

test('a producer beyond its grant waits, and goes on when it is granted more', () => {
  const { intake, job, said } = world(10);
  for (const message of [start(), block(0, 10), block(10, 10)]) intake.take(message);
  expect(said).toEqual(['take 0+10', 'pause']);
  job.grant(11);
  expect(said).toEqual(['take 0+10', 'pause', 'take 10+10', 'resume']);
});

test('an end that came while a block waited comes after it', () => {
  const { intake, job, said } = world(10);
  for (const message of [start(), block(0, 10), block(10, 10), end(20)]) intake.take(message);
  intake.inputClosed();
  job.grant(20);
  expect(said).toEqual(['take 0+10', 'pause', 'take 10+10', 'end of input', 'done 20']);
});

test('a stream that ends without an end of input says how far it came', () => {
  const { intake, said, job } = world(100);
  for (const message of [start(), block(0, 10)]) intake.take(message);
  intake.inputClosed();
  expect([said, job.inputEnded]).toEqual([['take 0+10', 'done 10'], false]);
});

test('a producer that comes back with the wrong item is told the right one', () => {
  const { intake, said, job } = world(100);
  job.pushed = 30;
  intake.take(start(20));
  expect(said).toEqual(['fail ITEMS_OUT_OF_STEP']);
});

test('a total that is not what came fails the call', () => {
  const { intake, said } = world(100);
  for (const message of [start(), block(0, 10), end(11)]) intake.take(message);
  expect(said).toEqual(['take 0+10', 'fail REQUEST_INVALID']);
});

test('a newer producer takes the place of an older one', () => {
  const { intake, said, job } = world(100);
  intake.take(start());
  const newer = new ItemIntake(
    { get: () => job } as unknown as Jobs,
    { pause: () => {}, resume: () => {}, done: () => {}, fail: () => {} },
    1000,
  );
  newer.take(start());
  expect(said).toEqual(['fail STREAM_REPLACED']);
  expect(job.writer).toBe(newer);
});

test('items before a start are refused', () => {
  const { intake, said } = world(100);
  intake.take(block(0, 1));
  expect(said).toEqual(['fail REQUEST_INVALID']);
});

test('a job that ends lets its producer go', () => {
  const { intake, said, job } = world(0);
  for (const message of [start(), block(0, 10)]) intake.take(message);
  job.finish({ state: 3, succeeded: 0, failed: 0 });
  expect(said).toEqual(['pause', 'done 0']);
});
