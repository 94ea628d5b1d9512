import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCoordinator } from '@shoal/coordinator';
import { JobState } from '@shoal/protocol';
import { pino } from 'pino';
import { connect } from 'shoal';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { pending } from '../pending.ts';
import { slack } from '../slack.ts';
import { startLink } from './broken-link.ts';
import { unary } from './raw-client.ts';
import { TestCluster, until } from './test-cluster.ts';

let cluster: TestCluster;
let folder: string;
beforeEach(() => {
  cluster = new TestCluster();
  folder = mkdtempSync(join(tmpdir(), 'shoal-cluster-'));
});
afterEach(async () => {
  await cluster.stop();
  rmSync(folder, { recursive: true });
});

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const silent = pino({ level: 'silent' });

async function submit(name: string, items: readonly unknown[], options = {}) {
  const { client, sha256 } = cluster;
  const jobId = await client.createJob(sha256, name, options);
  const reading = client.read(jobId);
  await client.push(jobId, items);
  return { jobId, reading };
}

test('G28: a job whose item the coordinator refuses is over for both at once, and its slots are free', async () => {
  await cluster.start({ maxItemBytes: 2 ** 20 });
  await cluster.agent();
  await using pool = await connect(cluster.coordinator.address);
  const endless = (item: number | string): Promise<unknown> | number =>
    typeof item === 'number' ? new Promise((resolve) => setTimeout(resolve, 60_000)) : 0;
  const items = async function* (): AsyncGenerator<number | string> {
    yield 1;
    await until(
      'it runs',
      () => cluster.coordinator.status().runningItems,
      (seen) => seen === 1,
    );
    yield 'x'.repeat(2 * 2 ** 20);
  };
  const job = pending(pool.map(endless, items()));
  await expect(job).rejects.toMatchObject({
    code: 'ITEM_TOO_LARGE',
    message: expect.stringMatching(/^Item 1 is 2\.?\d* MiB;.*--max-item-bytes/),
  });
  await until(
    'its slot is free',
    () => cluster.coordinator.status().runningItems,
    (seen) => seen === 0,
  );
});

test('an agent killed in the middle costs no item', async () => {
  await cluster.start();
  const [victim] = await Promise.all([cluster.agentProcess('victim'), cluster.agent(), cluster.agent()]);
  const { reading } = await submit(
    'slow',
    upTo(300).map((x) => [x, 10]),
  );
  await until(
    'the job is under way',
    () => cluster.coordinator.status().queuedItems,
    (seen) => seen < 280,
  );
  victim.kill('SIGKILL');
  const { values, ended } = await reading;
  expect([...values.values()]).toEqual(upTo(300).map((x) => x + 1));
  expect(ended).toMatchObject({ state: JobState.COMPLETED, failed: 0 });
  expect(cluster.events('agent.lost')).toMatchObject([{ agent: 'victim' }]);
});

test('an agent that drains reruns nothing, and leaves with exit code 0', async () => {
  await cluster.start();
  const [leaver] = await Promise.all([cluster.agentProcess('leaver'), cluster.agent()]);
  const file = join(folder, 'runs');
  const { reading } = await submit(
    'logged',
    upTo(200).map((x) => [x, 20, file]),
  );
  await until(
    'the job is under way',
    () => cluster.coordinator.status().queuedItems,
    (seen) => seen < 180,
  );
  leaver.kill('SIGTERM');
  const [code] = (await once(leaver, 'exit')) as [number];
  const { values } = await reading;
  expect(code).toBe(0);
  expect([...values.values()]).toEqual(upTo(200).map((x) => x + 1));
  const runs = readFileSync(file, 'utf8').trim().split('\n').map(Number);
  expect(runs.sort((a, b) => a - b)).toEqual(upTo(200));
  expect(cluster.events('agent.left')).toMatchObject([{ agent: 'leaver' }]);
  expect(cluster.events('agent.lost')).toEqual([]);
});

test('a drain gives back what takes too long, and others run it', async () => {
  await cluster.start();
  const leaver = await cluster.agent({ drainMs: 200, name: 'leaver' });
  const { reading } = await submit(
    'slow',
    [
      [1, 3000],
      [2, 3000],
    ],
    { chunkSize: 1 },
  );
  await until(
    'both run',
    () => cluster.coordinator.status().runningItems,
    (seen) => seen === 2,
  );
  await cluster.agent({ name: 'heir' });
  const started = performance.now();
  await leaver.close();
  expect(performance.now() - started).toBeLessThan(2_500 * slack());
  const { values, pids } = await reading;
  expect([...values.values()]).toEqual([2, 3]);
  expect([...pids].every((pid) => pid.startsWith('heir '))).toBe(true);
});

test('G5: where no item may run twice, one that a drain cuts short has failed, and all others run once', async () => {
  await cluster.start();
  const leaver = await cluster.agent({ drainMs: 200, name: 'leaver', processes: 1 });
  const file = join(folder, 'runs');
  const { reading } = await submit(
    'logged',
    upTo(3).map((x) => [x, x === 0 ? 3000 : 1, file]),
    { chunkSize: 3, retries: { crash: 0, lost: 0 } },
  );
  await until('item 0 has begun', () => existsSync(file));
  await cluster.agent({ name: 'heir' });
  await leaver.close();
  const { values, failures } = await reading;
  expect([...values.keys()].sort()).toEqual([1, 2]);
  expect(failures).toMatchObject([{ index: 0, code: 'ITEM_LOST' }]);
  const runs = readFileSync(file, 'utf8').trim().split('\n').map(Number);
  expect(runs.sort()).toEqual([0, 1, 2]);
});

test('a broken link costs nothing: what the agent ran meanwhile is delivered, and nothing runs twice', async () => {
  await cluster.start();
  const link = await startLink(cluster.coordinator.address);
  try {
    await cluster.agent({ join: link.address });
    const file = join(folder, 'runs');
    const { reading } = await submit(
      'logged',
      upTo(150).map((x) => [x, 20, file]),
    );
    await until(
      'the job is under way',
      () => cluster.coordinator.status().queuedItems,
      (seen) => seen < 130,
    );
    link.breakAll();
    await until(
      'the agent is back',
      () => cluster.events('agent.joined').length,
      (seen) => seen === 4,
    );
    const { values } = await reading;
    expect([...values.values()]).toEqual(upTo(150).map((x) => x + 1));
    const runs = readFileSync(file, 'utf8').trim().split('\n').map(Number);
    expect(runs.sort((a, b) => a - b)).toEqual(upTo(150));
    expect(cluster.events('agent.lost')).toEqual([]);
  } finally {
    link.close();
  }
});

test('an agent that stands still is given up, its late results are refused, and it is taken back', async () => {
  const scheduling = { graceMs: 500, confirmMs: 600, selfFenceMs: 900 };
  await cluster.start({ heartbeatMs: 200, leaseMs: 1000, scheduling });
  const [sleeper] = await Promise.all([cluster.agentProcess('sleeper'), cluster.agent()]);
  const { reading } = await submit(
    'slow',
    upTo(200).map((x) => [x, 20]),
  );
  await until(
    'the job is under way',
    () => cluster.coordinator.status().queuedItems,
    (seen) => seen < 180,
  );
  sleeper.kill('SIGSTOP');
  const { values, failures } = await reading;
  expect([...values.values()]).toEqual(upTo(200).map((x) => x + 1));
  expect(failures).toEqual([]);
  expect(cluster.events('agent.lost')).toMatchObject([{ agent: 'sleeper' }]);
  sleeper.kill('SIGCONT');
  await until(
    'it is back',
    () => cluster.coordinator.status().agents,
    (seen) => seen === 2,
  );
  const again = await submit(
    'slow',
    upTo(40).map((x) => [x, 20]),
  );
  expect([...(await again.reading).pids].some((pid) => pid.startsWith('sleeper '))).toBe(true);
});

test('agents come back to a coordinator that was restarted, and drop what it does not know', async () => {
  await cluster.start();
  await Promise.all([cluster.agent(), cluster.agent()]);
  const { reading } = await submit(
    'slow',
    upTo(4).map((x) => [x, 60_000]),
  );
  await until(
    'it runs',
    () => cluster.coordinator.status().runningItems,
    (seen) => seen > 0,
  );
  const { address } = cluster.coordinator;
  await cluster.coordinator.close({ drain: false });
  expect((await reading).ended).toMatchObject({
    state: JobState.CANCELLED,
    error: { facts: { reason: 'the coordinator stops' } },
  });
  await cluster.start({ listen: address });
  await until(
    'both are back',
    () => cluster.coordinator.status().agents,
    (seen) => seen === 2,
  );
  const again = await submit('inc', upTo(500));
  expect([...(await again.reading).values.values()]).toEqual(upTo(500).map((x) => x + 1));
});

test('an agent started before its coordinator joins when that is there', async () => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  const joining = cluster.agent({ join: `127.0.0.1:${port}` });
  await until('it was refused', () => cluster.events('agent.disconnected')[0]);
  expect(cluster.events('agent.disconnected')[0]?.msg).toContain('connection refused');
  await cluster.start({ listen: `127.0.0.1:${port}` });
  await joining;
  expect(cluster.coordinator.status()).toMatchObject({ agents: 1, slots: 2 });
});

test('a second agent under the name of a living one is refused, and the first one works on', async () => {
  await cluster.start();
  await cluster.agent({ name: 'twin' });
  const joining = cluster.agent({ name: 'twin' });
  await until('the twin was refused', () => cluster.events('agent.refused')[0]);
  const { reading } = await submit('inc', upTo(10));
  expect((await reading).values.size).toBe(10);
  void joining;
});

test('an operator drains an agent and puts it back', async () => {
  await cluster.start();
  await cluster.agent({ name: 'a' });
  const { cluster: operator } = cluster.client;
  await unary(operator.drainAgent.bind(operator), { agentName: 'a' });
  const { reading } = await submit('inc', upTo(10));
  // An agent that takes work would have been given them in the moment in which they came.
  await vi.waitFor(() => expect(cluster.coordinator.status()).toMatchObject({ agents: 1, queuedItems: 10 }), {
    timeout: 60_000,
  });
  await unary(operator.resumeAgent.bind(operator), { agentName: 'a' });
  expect((await reading).values.size).toBe(10);
  await expect(unary(operator.drainAgent.bind(operator), { agentName: 'b' })).rejects.toMatchObject({
    code: 'AGENT_NOT_FOUND',
  });
});

test('an address that other machines reach is refused, and a port in use is named', async () => {
  await cluster.start();
  await expect(startCoordinator({ listen: '0.0.0.0:0', log: silent })).rejects.toMatchObject({
    code: 'INSECURE_LISTEN',
  });
  const { address } = cluster.coordinator;
  await expect(startCoordinator({ listen: address, log: silent })).rejects.toMatchObject({
    code: 'ADDRESS_IN_USE',
    facts: { address },
  });
});

test('a coordinator that drains lets jobs finish and takes no new ones', async () => {
  await cluster.start();
  await cluster.agent();
  const { reading } = await submit(
    'slow',
    upTo(10).map((x) => [x, 100]),
  );
  const closing = cluster.coordinator.close();
  await expect(cluster.client.createJob(cluster.sha256, 'inc')).rejects.toMatchObject({
    code: 'COORDINATOR_STOPPING',
  });
  expect((await reading).values.size).toBe(10);
  await closing;
});
