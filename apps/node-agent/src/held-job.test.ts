import type { BlobFile } from '@shoal/pool';
import { JobSetup } from '@shoal/protocol';
import { expect, test } from 'vitest';
import { HeldJob } from './held-job.ts';

const block = (
  first: number,
  count: number,
  payload = Uint8Array.of(first),
  more = false,
  totalBytes = 0,
  broadcastSha256: string[] = [],
) => ({
  first,
  count,
  payload,
  more,
  totalBytes,
  broadcastSha256,
});

const fileOf = (sha256: string): BlobFile => ({ sha256, path: `/cache/${sha256}` });

function jobWith(...blocks: ReturnType<typeof block>[]): HeldJob {
  const job = new HeldJob(JobSetup.fromPartial({ jobId: 'job-1' }), fileOf);
  for (const each of blocks) job.add(each);
  return job;
}

const firsts = (job: HeldJob, first: number, count: number): number[] | undefined =>
  job.blocksFor(first, count)?.map((each) => each.first);

test('items are found in the blocks that hold them, in order', () => {
  const job = jobWith(block(0, 10), block(10, 10), block(20, 10));
  expect(firsts(job, 0, 10)).toEqual([0]);
  expect(firsts(job, 5, 20)).toEqual([0, 10, 20]);
  expect(firsts(job, 19, 1)).toEqual([10]);
});

test('a block that did not come is missed', () => {
  const job = jobWith(block(0, 10), block(20, 10));
  expect(firsts(job, 5, 10)).toBeUndefined();
  expect(firsts(job, 25, 10)).toBeUndefined();
  expect(firsts(job, 12, 1)).toBeUndefined();
});

test('a block keeps its identity', () => {
  const job = jobWith(block(0, 10));
  expect(job.blocksFor(0, 1)?.[0]).toBe(job.blocksFor(5, 5)?.[0]);
});

test('a block that comes late takes its place', () => {
  const job = jobWith(block(20, 10), block(0, 10), block(10, 10));
  expect(firsts(job, 0, 30)).toEqual([0, 10, 20]);
});

test('parts make one block', () => {
  const job = jobWith(block(0, 2, Uint8Array.of(1, 2), true, 3), block(0, 2, Uint8Array.of(3)));
  expect([...(job.blocksFor(0, 2)?.[0]?.bytes ?? [])]).toEqual([1, 2, 3]);
});

test('blocks that end before an index are forgotten', () => {
  const job = jobWith(block(0, 10), block(10, 10), block(20, 10));
  job.forgetBefore(20);
  expect([firsts(job, 0, 1), firsts(job, 19, 1), firsts(job, 20, 1)]).toEqual([undefined, undefined, [20]]);
});

test('a block knows the files of the constants that its items refer to', () => {
  const job = jobWith(
    block(0, 1),
    block(1, 1, Uint8Array.of(1), true, 2, ['aa', 'bb']),
    block(1, 1, Uint8Array.of(2)),
  );
  expect(job.blocksFor(0, 2)?.map(({ broadcasts }) => broadcasts)).toEqual([
    undefined,
    [fileOf('aa'), fileOf('bb')],
  ]);
});
