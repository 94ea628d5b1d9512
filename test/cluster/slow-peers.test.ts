/** Clients and agents that do not take what they are sent: what they cost, and whom. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import {
  AgentServiceClient,
  type ControlResponse,
  clientOptions,
  JobState,
  Join,
  ownPeer,
  type ReadResultsResponse,
  SessionEndReason,
} from '@shoal/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { slack } from '../slack.ts';
import { type Link, startLink } from './broken-link.ts';
import { RawClient } from './raw-client.ts';
import { TestCluster, until } from './test-cluster.ts';

const MiB = 2 ** 20;
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

let cluster: TestCluster;
let folder: string;
const links: Link[] = [];
beforeEach(() => {
  cluster = new TestCluster();
  folder = mkdtempSync(join(tmpdir(), 'shoal-slow-'));
});
afterEach(async () => {
  for (const link of links.splice(0)) link.close();
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function link(): Promise<Link> {
  const made = await startLink(cluster.coordinator.address);
  links.push(made);
  return made;
}

/** Runs a small job to its end; answers with the milliseconds that it took. */
async function smallJobMs(): Promise<number> {
  const { client, sha256 } = cluster;
  const startedMs = performance.now();
  const jobId = await client.createJob(sha256, 'inc', { chunkSize: 10 });
  const [{ values }] = await Promise.all([client.read(jobId), client.push(jobId, upTo(300))]);
  expect([...values.values()]).toEqual(upTo(300).map((x) => x + 1));
  return performance.now() - startedMs;
}

/** How long, and how often, something is waited for; what was seen last is in the failure. */
const patience = { timeout: 60_000, interval: 20 };

/** The highest that something gets until `over` resolves. */
async function highest(look: () => number, over: Promise<unknown>): Promise<number> {
  let most = 0;
  let isOver = false;
  const ended = (): void => {
    isOver = true;
  };
  over.then(ended, ended);
  await vi.waitFor(() => {
    most = Math.max(most, look());
    expect({ isOver, most }).toMatchObject({ isOver: true });
  }, patience);
  await over;
  return most;
}

test('G29: a consumer that stops costs its window, and other jobs do not notice it', async () => {
  await cluster.start();
  await cluster.agent({ processes: 2 });
  const { client, coordinator, sha256 } = cluster;
  const wire = await link();
  const reader = new RawClient(wire.address);
  const jobId = await client.createJob(sha256, 'big');
  await smallJobMs();
  const aloneMs = await smallJobMs();
  let reads = false;
  const onMessage = (): void => {
    reads = true;
  };
  const stalled = reader.read(jobId, 0, onMessage).catch(() => {});
  await until('it reads', () => reads);
  wire.stall(true);
  const pushed = client.push(
    jobId,
    upTo(240).map(() => MiB / 4),
  );
  // 60 MiB of results for a window of 32.
  await vi.waitFor(async () => {
    const running = (await client.info(jobId))?.progress?.running;
    expect({ running, heldBytes: coordinator.status().heldBytes }).toEqual({
      running: 0,
      heldBytes: expect.toSatisfy((bytes: number) => bytes > 31 * MiB),
    });
  }, patience);
  const besideMs: number[] = [];
  const most = await highest(
    () => coordinator.status().heldBytes,
    (async () => {
      for (const _ of upTo(2)) besideMs.push(await smallJobMs());
    })(),
  );
  expect(most / MiB).toBeLessThan(36);
  expect(Math.min(...besideMs)).toBeLessThan(aloneMs * 2 + 500 * slack());
  // Nothing of it is lost: whoever reads again gets it from the beginning.
  expect((await client.read(jobId)).values.size).toBe(240);
  expect(await pushed).toBe(240);
  await stalled;
  reader.close();
});

test('G29: what items throw fills the window of a consumer that stops, as results do', async () => {
  await cluster.start({ windowBytes: MiB });
  await cluster.agent({ processes: 2 });
  const { client, sha256 } = cluster;
  const jobId = await client.createJob(sha256, 'wail', { chunkSize: 1 });
  expect(
    await client.push(
      jobId,
      upTo(60).map(() => 200_000),
    ),
  ).toBe(60);
  const progress = await vi.waitFor(async () => {
    const seen = (await client.info(jobId))?.progress;
    expect(seen).toMatchObject({ running: 0, failed: expect.toSatisfy((failed: number) => failed >= 6) });
    return seen;
  }, patience);
  expect(progress?.waitingFor).toBe('paused by its consumer');
  expect(progress?.failed).toBeLessThan(10);
  expect((await client.read(jobId)).failures.map(({ index }) => index)).toEqual(upTo(60));
});

test('a client that never begins to read holds up nobody but its own job', async () => {
  await cluster.start();
  await cluster.agent({ processes: 2 });
  const { client, coordinator, sha256 } = cluster;
  const jobId = await client.createJob(sha256, 'big');
  // Nobody listens for data: the client's side of the stream is never started.
  const call = client.jobs.readResults({ jobId, fromPosition: 0, clientSession: '' });
  call.on('error', () => {});
  void client
    .push(
      jobId,
      upTo(240).map(() => MiB / 4),
    )
    .catch(() => {});
  await until(
    'its window is full',
    () => coordinator.status().heldBytes,
    (seen) => seen > 31 * MiB,
    30_000,
  );
  await smallJobMs();
  expect(coordinator.status().heldBytes / MiB).toBeLessThan(36);
  call.cancel();
});

test('an agent that beats but does not listen loses its session, and others do its work', async () => {
  await cluster.start({
    heartbeatMs: 200,
    leaseMs: 1_000,
    scheduling: { graceMs: 500, confirmMs: 60_000, selfFenceMs: 900 },
  });
  const { client, coordinator, sha256 } = cluster;
  const wire = await link();
  const plain = credentials.createInsecure();
  const control = new AgentServiceClient(coordinator.address, plain, clientOptions).control();
  const ended = new Promise<number>((resolve) => {
    control.on('error', () => {});
    control.on('data', ({ message }: ControlResponse) => {
      if (message?.$case === 'joined') {
        const { epoch, session } = message.value;
        const data = new AgentServiceClient(wire.address, plain, clientOptions).data();
        data.on('error', () => {});
        data.write({ hello: { session, epoch }, reports: [], prints: [], sequence: 0 });
      } else if (message?.$case === 'sessionEnded') resolve(message.value.reason);
    });
  });
  const join = Join.fromPartial({ agentName: 'deaf', instance: 'i', agent: ownPeer, slots: 64 });
  control.write({ message: { $case: 'join', value: join } });
  await until(
    'it joined',
    () => coordinator.status().agents,
    (seen) => seen === 1,
  );
  const beat = (): void => {
    // It lists nothing: a dispatch that no heartbeat confirms would be taken back only after a minute here.
    control.write({ message: { $case: 'heartbeat', value: { sequence: 1, held: [], stats: undefined } } });
  };
  const beating = setInterval(beat, 100);
  const run = async (count: number): Promise<number> => {
    const jobId = await client.createJob(sha256, 'length', { chunkSize: 1 });
    const items = upTo(count).map((n) => `${n}`.padEnd(MiB / 2));
    const [{ values }] = await Promise.all([client.read(jobId), client.push(jobId, items, 1)]);
    return values.size;
  };
  const first = run(1);
  await until(
    'it is sent the first item',
    () => wire.passedBytes,
    (seen) => seen > MiB / 4,
  );
  wire.stall(true);
  const rest = run(40);
  try {
    expect(await ended).toBe(SessionEndReason.SILENT);
    await cluster.agent({ name: 'heir' });
    expect([await first, await rest]).toEqual([1, 40]);
  } finally {
    clearInterval(beating);
    control.cancel();
  }
});

test('what memory cannot hold lies on the disk, comes back as it was, and is deleted with its job', async () => {
  await cluster.start({ maxPayloadBytes: MiB, spillDir: folder });
  await cluster.agent({ processes: 2 });
  const { client, coordinator, sha256 } = cluster;
  const jobId = await client.createJob(sha256, 'echo');
  const items = upTo(200).map((n) => `${n} `.repeat(20_000));
  expect(readdirSync(folder)).toEqual([]);
  const pushed = client.push(jobId, items, 1);
  // Nobody reads yet: items and results fill the window, most of it on the disk.
  await until(
    'it has spilled',
    () => coordinator.status().spilledBytes,
    (seen) => seen > 8 * MiB,
    30_000,
  );
  expect(coordinator.status().heldBytes).toBeLessThan(2 * MiB);
  const { values, ended } = await client.read(jobId);
  expect(await pushed).toBe(200);
  expect(ended).toMatchObject({ state: JobState.COMPLETED });
  expect([...values.values()]).toEqual(items);
  await until(
    'the disk is empty',
    () => coordinator.status().spilledBytes,
    (seen) => seen === 0,
  );
  const [private_ = ''] = readdirSync(folder);
  expect(readdirSync(join(folder, private_))).toEqual([]);
  await coordinator.close({ drain: false });
  expect(existsSync(join(folder, private_))).toBe(false);
});

test('errors that memory cannot hold lie on the disk as values do, and come back as they were', async () => {
  await cluster.start({ maxPayloadBytes: MiB, spillDir: folder });
  await cluster.agent({ processes: 2 });
  const { client, coordinator, sha256 } = cluster;
  const jobId = await client.createJob(sha256, 'wail');
  const sizes = upTo(100).map((n) => 200_000 + n);
  const pushed = client.push(jobId, sizes, 1);
  // Nobody reads yet.
  let most = 0;
  await vi.waitFor(async () => {
    const progress = (await client.info(jobId))?.progress;
    most = Math.max(most, coordinator.status().heldBytes);
    expect(progress).toMatchObject({ failed: sizes.length });
  }, patience);
  expect(most).toBeLessThan(2 * MiB);
  expect(coordinator.status().spilledBytes).toBeGreaterThan(18_000_000);
  const { failures } = await client.read(jobId);
  expect(await pushed).toBe(100);
  expect(failures.map(({ index }) => index)).toEqual(upTo(100));
  for (const { error, index } of failures) expect(error.byteLength).toBeGreaterThan(200_000 + index);
  await until(
    'the disk is empty',
    () => coordinator.status().spilledBytes,
    (seen) => seen === 0,
  );
});

test('without room in memory and on the disk the job that holds most ends, and says why; others go on', async () => {
  await cluster.start({ maxPayloadBytes: MiB, maxSpillBytes: 2 * MiB, spillDir: folder });
  await cluster.agent({ processes: 2 });
  const { client, coordinator, sha256 } = cluster;
  const hungry = await client.createJob(sha256, 'big', { chunkSize: 1 });
  const call = client.jobs.readResults({ jobId: hungry, fromPosition: 0, clientSession: '' });
  const ended = new Promise<unknown>((resolve) => {
    call.on('error', resolve);
    call.on('data', ({ message }: ReadResultsResponse) => {
      // It takes results and acknowledges none of them.
      if (message?.$case === 'ended') resolve(message.value);
    });
  });
  await client.push(
    hungry,
    upTo(40).map(() => MiB / 4),
  );
  expect(await ended).toMatchObject({
    state: JobState.UNRUNNABLE,
    error: { code: 'NO_ROOM', message: expect.stringContaining('--max-spill-bytes') },
  });
  await smallJobMs();
  await until(
    'its bytes are gone',
    () => coordinator.status().spilledBytes,
    (seen) => seen === 0,
  );
});
