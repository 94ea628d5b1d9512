import { serialize } from 'node:v8';
import type { ServiceError } from '@grpc/grpc-js';
import { Encoding, errorFromStatus, JobState, type ReadResultsResponse } from '@shoal/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { slack } from '../slack.ts';
import { unary } from './raw-client.ts';
import { TestCluster, until } from './test-cluster.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = new TestCluster();
});
afterEach(() => cluster.stop());

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Pushes and reads side by side, as clients do. */
async function run(
  name: string,
  items: readonly unknown[],
  options: Parameters<TestCluster['client']['createJob']>[2] = {},
  blockItems = 100,
) {
  const { client, sha256 } = cluster;
  const jobId = await client.createJob(sha256, name, options);
  const [, delivered] = await Promise.all([client.push(jobId, items, blockItems), client.read(jobId)]);
  return { ...delivered, jobId };
}

test('a job over two agents delivers every value, in the order of its input', async () => {
  await cluster.start();
  await Promise.all([cluster.agent(), cluster.agent()]);
  const { values, ended } = await run('inc', upTo(5000));
  expect([...values.keys()]).toEqual(upTo(5000));
  expect([...values.values()]).toEqual(upTo(5000).map((x) => x + 1));
  expect(ended).toMatchObject({ state: JobState.COMPLETED, succeeded: 5000, failed: 0 });
});

test('both agents work on one job', async () => {
  await cluster.start();
  await Promise.all([cluster.agent(), cluster.agent()]);
  const { pids } = await run(
    'slow',
    upTo(40).map((x) => [x, 20]),
  );
  const agents = new Set([...pids].map((pid) => pid.split(' ')[0]));
  expect(agents).toEqual(new Set(['agent-1', 'agent-2']));
});

test('an item that throws is told with its place, and every other item has its value', async () => {
  await cluster.start();
  await cluster.agent();
  const { values, failures, ended } = await run('picky', upTo(10));
  expect([...values.keys()]).toEqual([0, 1, 2, 4, 5, 6, 7, 8, 9]);
  expect(failures).toMatchObject([
    { index: 3, code: 'ITEM_THREW', summary: 'TypeError: no threes', attempts: [{ agent: 'agent-1' }] },
  ]);
  expect(ended).toMatchObject({ state: JobState.COMPLETED, succeeded: 9, failed: 1 });
});

test('an item that kills its process three times is set aside, and every other item has its value', async () => {
  await cluster.start();
  await Promise.all([cluster.agent(), cluster.agent()]);
  const { values, failures } = await run('deadly', upTo(200));
  expect(values.size).toBe(199);
  expect(failures).toHaveLength(1);
  expect(failures[0]).toMatchObject({ index: 3, code: 'ITEM_KILLED_CHILD' });
  expect(failures[0]?.attempts.map(({ signal }) => signal)).toEqual(['SIGKILL', 'SIGKILL', 'SIGKILL']);
});

test('an item that runs too long is told, and what waited behind it runs', async () => {
  await cluster.start();
  await cluster.agent({ processes: 1 });
  const items = upTo(6).map((x) => [x, x === 2 ? 60_000 : 1]);
  const { values, failures } = await run('slow', items, { timeoutMs: 200 });
  expect([...values.keys()]).toEqual([0, 1, 3, 4, 5]);
  expect(failures).toMatchObject([{ index: 2, code: 'ITEM_TIMED_OUT' }]);
});

test('what a task prints reaches the reader with agent and item', async () => {
  await cluster.start();
  await cluster.agent();
  const { prints } = await run('chatty', upTo(3));
  expect(prints.filter((text) => text.includes(' item ')).sort()).toEqual([
    'agent-1 0 item 0',
    'agent-1 1 item 1',
    'agent-1 2 item 2',
  ]);
});

test('what a process prints outside items reaches the reader, too, with agent and process', async () => {
  await cluster.start();
  await cluster.agent({ processes: 1 });
  const group = { id: 'a client', processes: 0 };
  const { prints, pids } = await run('native', upTo(20), { chunkSize: 1, group });
  const said = ['loaded', ...upTo(20).flatMap((x) => [`native ${x}`, `grandchild ${x}`])];
  const lines = (): string[] => prints.flatMap((text) => text.replace(/^agent-1 undefined /, '').split('\n'));
  // It comes through another pipe than results, and may be read after the last of them: the next job is told then.
  for (let more = 0; more < 20 && lines().length < said.length; more += 1) {
    prints.push(...(await run('inc', [1], { group })).prints);
  }
  expect(pids.size).toBe(1);
  expect(lines().sort()).toEqual(said.sort());
});

test('what ended an idle process is logged, and told to the next job of its client', async () => {
  await cluster.start();
  await cluster.agent({ processes: 1 });
  const group = { id: 'a client', processes: 0 };
  await run('tardy', [1], { group });
  await until('the trace is logged', () =>
    cluster.events('print.unread').some(({ msg }) => msg.includes('Error: too late')),
  );
  const others = await run('inc', [1], { group: { id: 'another', processes: 0 } });
  expect(others.prints.join()).not.toContain('too late');
  // The rest of what it had printed may come first, and be all that one job is told.
  const prints: string[] = [];
  for (let more = 0; more < 20 && !prints.join().includes('Error: too late'); more += 1) {
    prints.push(...(await run('inc', [1], { group })).prints);
  }
  expect(prints.join()).toContain('Error: too late');
});

test('a client that reads gets every line that its items may print', async () => {
  await cluster.start();
  await cluster.agent();
  const { prints } = await run('wordy', [1_000, 1_000]);
  const lines = prints.flatMap((text) => text.split('\n'));
  expect(lines.filter((line) => line.endsWith('x'.repeat(50)))).toHaveLength(2_000);
  expect(lines.filter((line) => line.includes('dropped'))).toEqual([]);
});

test('a result far over the size of a message travels in parts', async () => {
  await cluster.start();
  await cluster.agent();
  const { values } = await run('big', [10, 3_000_000, 20]);
  expect([...values.values()].map((value) => String(value).length)).toEqual([10, 3_000_000, 20]);
});

test('an export that does not exist ends the job with what the module has instead', async () => {
  await cluster.start();
  await cluster.agent();
  const { ended } = await run('icn', upTo(3));
  expect(ended).toMatchObject({ state: JobState.UNRUNNABLE, error: { code: 'TASK_EXPORT_MISSING' } });
  expect(ended?.error?.message).toContain('inc');
});

test('a job without agents says what it waits for, and runs when one comes', async () => {
  await cluster.start();
  const { client, sha256 } = cluster;
  const jobId = await client.createJob(sha256, 'inc');
  const pushed = client.push(jobId, upTo(10));
  let waits = (): void => {};
  const waiting = new Promise<void>((resolve) => {
    waits = resolve;
  });
  const reading = client.read(jobId, 0, ({ waitingFor }) => {
    if ([...waitingFor].join().includes('10 items wait and 0 agents are connected. Start one: shoal agent'))
      waits();
  });
  await Promise.all([pushed, waiting]);
  await cluster.agent();
  expect((await reading).values.size).toBe(10);
});

test('the same request creates one job; the same id with another content is refused', async () => {
  await cluster.start();
  const { client, sha256 } = cluster;
  const first = await client.createJob(sha256, 'inc', {}, 'request-1');
  expect(await client.createJob(sha256, 'inc', {}, 'request-1')).toBe(first);
  await expect(client.createJob(sha256, 'slow', {}, 'request-1')).rejects.toMatchObject({
    code: 'JOB_EXISTS',
  });
  expect(await client.createJob(sha256, 'inc', {}, 'request-2')).not.toBe(first);
});

test('a bundle that was not pushed is named before anything starts', async () => {
  await cluster.start();
  await expect(cluster.client.createJob('0'.repeat(64), 'inc')).rejects.toMatchObject({
    code: 'BUNDLE_NOT_FOUND',
  });
});

test('a reader that comes back goes on where it was, and what it acknowledged is gone', async () => {
  await cluster.start();
  await cluster.agent();
  const { client, sha256 } = cluster;
  const jobId = await client.createJob(sha256, 'inc');
  const pushed = client.push(jobId, upTo(1000));
  const seen: number[] = [];
  await new Promise<void>((resolve) => {
    const call = client.jobs.readResults({ jobId, fromPosition: 0, clientSession: '' });
    call.on('error', () => resolve());
    call.on('data', ({ message }: ReadResultsResponse) => {
      if (message?.$case !== 'batch') return;
      for (const { outcome } of message.value.outcomes) {
        if (outcome?.$case === 'run') seen.push(outcome.value.first + outcome.value.count);
      }
      call.cancel();
    });
  });
  await pushed;
  const position = seen.at(-1) ?? 0;
  expect(position).toBeGreaterThan(0);
  await unary(client.jobs.acknowledgeResults.bind(client.jobs), { jobId, position, clientSession: '' });
  await expect(client.read(jobId, position - 1)).rejects.toMatchObject({ code: 'RESULT_ACKNOWLEDGED' });
  const { values } = await client.read(jobId, position);
  expect([...values.keys()]).toEqual(upTo(1000).slice(position));
});

test('results wait for each other as long as their reader lets them, and not at the end', async () => {
  await cluster.start();
  await cluster.agent();
  const { client, sha256 } = cluster;
  const jobId = await client.createJob(sha256, 'slow', { chunkSize: 1 });
  const items = upTo(20).map((x) => [x, 20]);
  await client.push(jobId, items);
  const startedAtMs = performance.now();
  const positions: number[] = [];
  let prints = 0;
  const gatherMs = 60_000;
  const call = client.jobs.readResults({ jobId, fromPosition: 0, clientSession: '', gatherMs });
  call.on('data', ({ message }: ReadResultsResponse) => {
    if (message?.$case === 'batch') positions.push(message.value.position);
    if (message?.$case === 'print') prints += 1;
  });
  await new Promise((resolve, reject) => call.on('end', resolve).on('error', reject));
  // Those that are there at once, then a message a second at most, one behind each print, and the last one.
  const seconds = Math.floor((performance.now() - startedAtMs) / 1_000);
  expect(positions[0]).toBe(0);
  expect(positions.length).toBeLessThanOrEqual(2 + seconds + prints);
});

test('results go to the session that reads last; what another one says it has is not forgotten', async () => {
  await cluster.start();
  await cluster.agent();
  const { client, sha256 } = cluster;
  const jobId = await client.createJob(sha256, 'inc');
  const first = client.jobs.readResults({ jobId, fromPosition: 0, clientSession: 'first' });
  const replaced = new Promise<unknown>((resolve) => {
    first.on('data', () => {});
    first.on('error', (error: ServiceError) => resolve(errorFromStatus(error, { address: '' })));
  });
  const writer = client.jobs.pushItems(() => {});
  writer.on('error', () => {});
  writer.write({ message: { $case: 'start', value: { jobId, firstIndex: 0, clientSession: 'first' } } });
  const payload = serialize(upTo(10));
  const block = { first: 0, count: 10, payload, more: false, totalBytes: 0, broadcastSha256: [] };
  writer.write({ message: { $case: 'block', value: block } });
  while (((await client.info(jobId))?.delivered ?? 0) < 10);
  const acknowledge = (clientSession: string) =>
    unary(client.jobs.acknowledgeResults.bind(client.jobs), { jobId, position: 10, clientSession });
  const second = client.jobs.readResults({ jobId, fromPosition: 0, clientSession: 'second' });
  second.on('error', () => {});
  const got = new Promise<number>((resolve) => {
    second.on('data', ({ message }: ReadResultsResponse) => {
      if (message?.$case === 'batch') resolve(message.value.position);
    });
  });
  expect(await replaced).toMatchObject({ code: 'STREAM_REPLACED' });
  await expect(acknowledge('first')).rejects.toMatchObject({ code: 'STREAM_REPLACED' });
  expect(await got).toBe(0);
  expect((await client.info(jobId))?.acknowledged).toBe(0);
  await acknowledge('second');
  expect((await client.info(jobId))?.acknowledged).toBe(10);
});

test('a newer producer takes the place of an older one, whose late blocks do not exist', async () => {
  await cluster.start();
  await cluster.agent();
  const { client, sha256 } = cluster;
  const jobId = await client.createJob(sha256, 'inc');
  const reading = client.read(jobId);
  let refused: unknown;
  const older = client.jobs.pushItems((error) => {
    refused = error === null ? undefined : errorFromStatus(error, { address: '' });
  });
  older.on('error', () => {});
  older.write({ message: { $case: 'start', value: { jobId, firstIndex: 0, clientSession: '' } } });
  await until(
    'it is there',
    () => cluster.coordinator.status().activeJobs,
    (seen) => seen === 1,
  );
  const pushed = client.push(jobId, upTo(30));
  await until(
    'the older one is refused',
    () => refused,
    (seen) => seen !== undefined,
  );
  expect(refused).toMatchObject({ code: 'STREAM_REPLACED' });
  const late = {
    first: 0,
    count: 1,
    payload: serialize([99]),
    more: false,
    totalBytes: 0,
    broadcastSha256: [],
  };
  older.write({ message: { $case: 'block', value: late } });
  expect(await pushed).toBe(30);
  expect([...(await reading).values.values()]).toEqual(upTo(30).map((x) => x + 1));
});

test('a producer that comes back is told where to go on', async () => {
  await cluster.start();
  await cluster.agent();
  const { client, sha256 } = cluster;
  const jobId = await client.createJob(sha256, 'inc');
  const reading = client.read(jobId);
  const block = (first: number, count: number) => ({
    message: {
      $case: 'block' as const,
      value: {
        first,
        count,
        payload: serialize(upTo(1000).slice(first, first + count)),
        more: false,
        totalBytes: 0,
        broadcastSha256: [],
      },
    },
  });
  const broken = client.jobs.pushItems(() => {});
  broken.on('error', () => {});
  broken.write({ message: { $case: 'start', value: { jobId, firstIndex: 0, clientSession: '' } } });
  broken.write(block(0, 10));
  await until(
    '10 items accepted',
    () => cluster.coordinator.status().activeJobs,
    (seen) => seen === 1,
  );
  while (((await client.info(jobId))?.acceptedItems ?? 0) < 10);
  broken.cancel();
  await expect(client.push(jobId, upTo(20))).rejects.toMatchObject({
    code: 'ITEMS_OUT_OF_STEP',
    facts: { next: 10 },
  });
  const rest = client.jobs.pushItems(() => {});
  rest.write({ message: { $case: 'start', value: { jobId, firstIndex: 10, clientSession: '' } } });
  rest.write(block(10, 10));
  rest.write({ message: { $case: 'endOfInput', value: { totalItems: 20 } } });
  rest.end();
  const { values } = await reading;
  expect([...values.values()]).toEqual(upTo(20).map((x) => x + 1));
});

test('a consumer that does not read stops the producer at its window', async () => {
  await cluster.start();
  await cluster.agent();
  const { client, sha256 } = cluster;
  const jobId = await client.createJob(sha256, 'inc', { windowItems: 200 });
  const pushed = client.push(jobId, upTo(5000), 50);
  const accepted = async (): Promise<number> => (await client.info(jobId))?.acceptedItems ?? 0;
  await vi.waitFor(async () => expect(await accepted()).toBeGreaterThanOrEqual(200), { timeout: 60_000 });
  // Time is the subject: nothing but time tells that a producer does not go on.
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await accepted()).toBeLessThanOrEqual(250);
  const { values } = await client.read(jobId);
  expect(await pushed).toBe(5000);
  expect(values.size).toBe(5000);
});

test('a cancelled job ends at once and its processes are free for others', async () => {
  await cluster.start();
  await cluster.agent();
  const { client, sha256 } = cluster;
  const jobId = await client.createJob(sha256, 'slow');
  await client.push(
    jobId,
    upTo(4).map((x) => [x, 60_000]),
  );
  const reading = client.read(jobId);
  await until(
    'it runs',
    () => cluster.coordinator.status().runningItems,
    (seen) => seen > 0,
  );
  const started = performance.now();
  await unary(client.jobs.cancelJob.bind(client.jobs), { jobId, reason: 'enough' });
  expect(performance.now() - started).toBeLessThan(1_000 * slack());
  expect((await reading).ended).toMatchObject({
    state: JobState.CANCELLED,
    error: { code: 'JOB_CANCELLED', facts: { reason: 'enough' } },
  });
  expect((await run('inc', upTo(10))).values.size).toBe(10);
  // Two seconds of grace for what runs, and a little for a machine that is busy.
  expect(performance.now() - started).toBeLessThan(4_500 * slack());
});

test('a job that no client is connected to is cancelled after the time of grace, and then forgotten', async () => {
  await cluster.start({ ephemeralGraceMs: 300 });
  const { client, sha256 } = cluster;
  const jobId = await client.createJob(sha256, 'inc');
  const ended = await until('the job ended', () => cluster.events('job.ended')[0]);
  expect(ended).toMatchObject({ job: jobId, state: 'cancelled' });
  await expect(client.info(jobId)).rejects.toMatchObject({
    code: 'JOB_NOT_FOUND',
  });
});

test('failFast ends the job with the first failure', async () => {
  await cluster.start();
  await cluster.agent();
  const { ended } = await run('picky', upTo(500), { failFast: true });
  expect(ended).toMatchObject({
    state: JobState.FAILED_FAST,
    failedIndex: 3,
    error: { code: 'ITEM_THREW' },
  });
  expect(ended?.error?.message).toContain('TypeError: no threes');
});

test('a job past its deadline ends', async () => {
  await cluster.start();
  await cluster.agent();
  const { ended } = await run('slow', [[1, 60_000]], { deadlineMs: 300 });
  expect(ended).toMatchObject({ state: JobState.DEADLINE, error: { code: 'JOB_DEADLINE' } });
});

test('an unordered job delivers each item once, the fast ones first', async () => {
  await cluster.start();
  await cluster.agent();
  const items = upTo(20).map((x) => [x, x === 0 ? 1500 : 1]);
  const { values } = await run('slow', items, { unordered: true, chunkSize: 1, encoding: Encoding.V8 });
  expect([...values.keys()].sort((a, b) => a - b)).toEqual(upTo(20));
  expect([...values.keys()].indexOf(0)).toBeGreaterThan(9);
});
