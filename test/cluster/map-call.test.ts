import type { ServiceError } from '@grpc/grpc-js';
import {
  AttemptReport,
  type Dispatch,
  Encoding,
  errorFromStatus,
  FailureKind,
  type GetJobRequest,
  type GetJobResponse,
  type JobOptions,
  type ListJobsRequest,
  type ListJobsResponse,
  type MapRequest,
  MapRequest as MapRequestCodec,
  type MapResponse,
} from '@shoal/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { joinRaw } from './raw-agent.ts';
import { unary } from './raw-client.ts';
import { TestCluster, until } from './test-cluster.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = new TestCluster();
  await cluster.start();
  const { bundles } = cluster.client;
  await unary(bundles.nameBundle.bind(bundles), { name: 'work', version: 1, sha256: cluster.sha256 });
});
afterEach(() => cluster.stop());

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

interface Mapped {
  /** In each message; empty where there was none. */
  readonly jobIds: string[];
  readonly values: string[];
  readonly indices: number[];
  readonly failures: { index: number; code: string; summary: string; tries: number }[];
  summary: MapResponse['summary'];
}

/** The whole call, as a client in another language makes it. */
function map(start: { function: string; options?: Partial<JobOptions> }, messages: string[][]) {
  const call = cluster.client.jobs.map();
  const mapped: Mapped = { jobIds: [], values: [], indices: [], failures: [], summary: undefined };
  const done = new Promise<Mapped>((resolve, reject) => {
    call.on('data', ({ jobId, outcomes, summary }: MapResponse) => {
      mapped.jobIds.push(jobId);
      for (const { index, outcome } of outcomes) {
        mapped.indices.push(index);
        if (outcome?.$case === 'value') mapped.values.push(Buffer.from(outcome.value).toString());
        else if (outcome?.$case === 'failure') {
          const { code, summary: line, attempts } = outcome.value;
          mapped.failures.push({ index, code, summary: line, tries: attempts.length });
        }
      }
      mapped.summary ??= summary;
    });
    call.on('error', (error: ServiceError) => reject(errorFromStatus(error, { address: 'here' })));
    call.on('end', () => resolve(mapped));
  });
  const write = (message: object): boolean => call.write(MapRequestCodec.fromPartial(message as MapRequest));
  write({ start });
  for (const items of messages) write({ items: items.map((item) => Buffer.from(item)) });
  return { call, done, write };
}

test('a client without blocks, windows or cursors maps JSON over a named function', async () => {
  await cluster.agent();
  const { call, done } = map({ function: 'work#inc' }, [upTo(700).map(String), upTo(300).map(String)]);
  call.end();
  const { values, indices, summary } = await done;
  expect(indices).toEqual(upTo(1000));
  expect(values.slice(0, 3)).toEqual(['1', '2', '3']);
  expect(values.slice(700, 703)).toEqual(['1', '2', '3']);
  expect(summary).toMatchObject({ succeeded: 1000, failed: 0 });
});

test('results come back while items still go in', async () => {
  await cluster.agent();
  const { call, done, write } = map({ function: 'work@1#inc' }, [['1']]);
  await new Promise<void>((resolve) => {
    call.on('data', ({ outcomes }: MapResponse) => {
      if (outcomes.length > 0) resolve();
    });
  });
  write({ items: [Buffer.from('2')] });
  call.end();
  expect((await done).values).toEqual(['2', '3']);
});

test('a call that waits says at once which job it is, and others say why it waits and end it', async () => {
  const { call, done } = map({ function: 'work#inc' }, [['1']]);
  const { jobId } = await new Promise<MapResponse>((resolve) => call.once('data', resolve));
  const { jobs } = cluster.client;
  const { job } = await until(
    'it says why it waits',
    () => unary<GetJobRequest, GetJobResponse>(jobs.getJob.bind(jobs), { jobId }),
    (seen) => seen.job?.progress?.waitingFor !== '',
  );
  expect(job).toMatchObject({ jobId, acceptedItems: 1, progress: { queued: 1 } });
  expect(job?.progress?.waitingFor).toContain('0 agents are connected');
  await unary(jobs.cancelJob.bind(jobs), { jobId, reason: 'nobody came' });
  await expect(done).rejects.toMatchObject({
    code: 'JOB_CANCELLED',
    message: 'The job was cancelled: nobody came.',
  });
});

test('the first message names the job, no other does, and the summary does again', async () => {
  await cluster.agent();
  const { call, done } = map({ function: 'work#inc' }, [['1', '2']]);
  call.end();
  const { jobIds, summary, values } = await done;
  expect(values).toEqual(['2', '3']);
  expect(jobIds).toEqual([summary?.jobId, ...jobIds.slice(1).fill('')]);
  expect(summary?.jobId).toMatch(/^job-[0-9a-f]{12}$/);
});

test('a call of fewer or more items than it said is refused, and one of as many is done', async () => {
  await cluster.agent();
  const items = upTo(3).map(String);
  for (const totalItems of [2, 4, 0]) {
    const { call, done } = map({ function: 'work#inc', options: { totalItems } }, [items]);
    call.end();
    await expect(done, `${totalItems} of 3`).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      message: `start.options.total_items: is ${totalItems}, but 3 items came.`,
    });
  }
  const { call, done } = map({ function: 'work#inc', options: { totalItems: 3 } }, [items]);
  call.end();
  expect((await done).summary).toMatchObject({ succeeded: 3, failed: 0 });
});

test('of a run that counts in part, each item gets the value that is its own', async () => {
  const { agents } = cluster.client;
  const { call, done } = map({ function: 'work#inc', options: { chunkSize: 5 } }, [upTo(5).map(String)]);
  call.end();
  const framed = (texts: string[]): Buffer =>
    Buffer.concat(
      texts.map((text) => Buffer.concat([Buffer.from([text.length, 0, 0, 0]), Buffer.from(text)])),
    );
  const said: Dispatch[] = [];
  const { control, data } = joinRaw(agents, 'raw', (given) => {
    said.push(given);
    const { attempt, first, count } = given;
    const kind = FailureKind.THROWN;
    const failure = { index: first + 1, kind, code: 'ITEM_THREW', retryable: false, summary: 'no' };
    const texts = upTo(count).map((nth) => `"of ${first + nth}"`);
    return [
      AttemptReport.fromPartial({ attempt, failures: [failure] }),
      // What has failed is among them: it counts no more, and what stands around it does.
      AttemptReport.fromPartial({
        attempt,
        runs: [{ first, count, payload: framed(texts), runMs: 1, pid: 7 }],
      }),
      AttemptReport.fromPartial({ attempt, ended: { ending: { $case: 'finished', value: {} } } }),
    ];
  });
  const { values, indices, failures } = await done;
  for (const stream of [control, data]) stream.on('error', () => {}).cancel();
  expect(said.map(({ first, count }) => [first, count])).toEqual([[0, 5]]);
  expect(failures).toMatchObject([{ index: 1, code: 'ITEM_THREW' }]);
  expect(values).toEqual(['"of 0"', '"of 2"', '"of 3"', '"of 4"']);
  expect(indices).toEqual([0, 1, 2, 3, 4]);
});

test('an item that fails is told and does not end the call', async () => {
  await cluster.agent();
  const { call, done } = map({ function: 'work#picky' }, [upTo(5).map(String)]);
  call.end();
  const { values, failures, summary } = await done;
  expect(values).toEqual(['0', '1', '2', '4']);
  expect(failures).toEqual([{ index: 3, code: 'ITEM_THREW', summary: 'TypeError: no threes', tries: 1 }]);
  expect(summary).toMatchObject({ succeeded: 4, failed: 1 });
});

test('an item that is no JSON fails alone, and is tried once', async () => {
  await cluster.agent();
  const options = { retries: { thrown: 2 } } as Partial<JobOptions>;
  const { call, done } = map({ function: 'work#inc', options }, [['{a}', '2', '']]);
  call.end();
  const { values, failures, summary } = await done;
  expect(values).toEqual(['3']);
  expect(failures).toMatchObject([
    { index: 0, code: 'VALUE_NOT_PORTABLE', tries: 1 },
    {
      index: 2,
      code: 'VALUE_NOT_PORTABLE',
      tries: 1,
      summary: 'Item 2 cannot be sent: it is no JSON (Unexpected end of JSON input). Send plain data.',
    },
  ]);
  expect(summary).toMatchObject({ succeeded: 1, failed: 2 });
});

test('a result that JSON would call null is a failure of its own', async () => {
  await cluster.agent();
  const { call, done } = map({ function: 'work#mean' }, [['[1, 3]', '[]', '[5]']]);
  call.end();
  const { values, failures, summary } = await done;
  expect(values).toEqual(['2', '5']);
  const words =
    'Result of item 1 cannot be sent: it is the number NaN, which JSON cannot carry. Send plain data.';
  expect(failures).toEqual([{ index: 1, code: 'VALUE_NOT_PORTABLE', tries: 1, summary: words }]);
  expect(summary).toMatchObject({ succeeded: 2, failed: 1 });
});

test('a call that ends at an item that is no JSON says which and why', async () => {
  await cluster.agent();
  const { call, done } = map({ function: 'work#inc', options: { failFast: true } }, [['']]);
  call.end();
  await expect(done).rejects.toMatchObject({
    code: 'VALUE_NOT_PORTABLE',
    message: 'Item 0 cannot be sent: it is no JSON (Unexpected end of JSON input). Send plain data.',
  });
});

test('an item that ran too long says so in words', async () => {
  await cluster.agent();
  const { call, done } = map({ function: 'work#slow', options: { timeoutMs: 300 } }, [['[1, 60000]']]);
  call.end();
  expect((await done).failures).toMatchObject([
    { code: 'ITEM_TIMED_OUT', summary: expect.stringContaining('Item 0 ran longer than 300 ms on ') },
  ]);
});

test('an export that is missing is told with the name of its bundle, not with a path inside an agent', async () => {
  await cluster.agent();
  const { call, done } = map({ function: 'work@1#inx' }, [['1']]);
  call.end();
  await expect(done).rejects.toMatchObject({
    code: 'TASK_EXPORT_MISSING',
    message: expect.stringMatching(/^work@1 has no export "inx"\. Exports: .* Did you mean inc\?$/),
  });
});

test('a call with no items is an empty job', async () => {
  await cluster.agent();
  const { call, done } = map({ function: 'work#inc' }, []);
  call.end();
  expect((await done).summary).toMatchObject({ succeeded: 0, failed: 0 });
});

test('a function that was not named and an encoding that others cannot write are refused', async () => {
  await expect(map({ function: 'nothing#inc' }, []).done).rejects.toMatchObject({
    code: 'BUNDLE_NOT_FOUND',
  });
  await expect(map({ function: '' }, []).done).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: 'start.function: names no function.',
  });
  const v8 = { function: 'work#inc', options: { encoding: Encoding.V8 } };
  await expect(map(v8, []).done).rejects.toMatchObject({ code: 'ENCODING_NOT_ACCEPTED' });
});

test('hanging up cancels the job', async () => {
  await cluster.agent();
  const { call, done } = map({ function: 'work#slow' }, [['[1, 60000]']]);
  await until(
    'it runs',
    () => cluster.coordinator.status().runningItems,
    (seen) => seen === 1,
  );
  call.cancel();
  await expect(done).rejects.toThrow();
  await until(
    'the job is gone',
    () => cluster.coordinator.status().activeJobs,
    (seen) => seen === 0,
  );
  expect(cluster.events('job.ended')).toMatchObject([{ state: 'cancelled' }]);
});

test('a client that does not read is not read from beyond the window', async () => {
  await cluster.agent();
  const call = cluster.client.jobs.map();
  call.on('error', () => {});
  // It reads once and never again: grpc-js buffers without bound for a client that has not begun to read.
  call.once('data', () => call.pause());
  const options = { windowItems: 100 };
  call.write(MapRequestCodec.fromPartial({ start: { function: 'work#big', options } }));
  // 400 MB of results: far beyond what the transport holds for a client that does not read.
  for (let at = 0; at < 2000; at += 1) {
    call.write(MapRequestCodec.fromPartial({ items: [Buffer.from('100000'), Buffer.from('100000')] }));
  }
  expect(await acceptedAtRest()).toBeLessThan(1000);
  call.cancel();
});

/** How many items the coordinator has taken once it takes no more: the same count ten times in a row. */
async function acceptedAtRest(): Promise<number> {
  const counts: number[] = [];
  for (let look = 0; look < 200; look += 1) {
    const { jobs } = await unary<ListJobsRequest, ListJobsResponse>(
      (request, done) => cluster.client.jobs.listJobs(request, done),
      { pageToken: '' },
    );
    counts.push(jobs[0]?.acceptedItems ?? 0);
    const last = counts.slice(-10);
    if (last.length === 10 && last[0] !== 0 && new Set(last).size === 1) return last[0] ?? 0;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`The coordinator goes on taking items: ${counts.slice(-10).join(', ')}`);
}
