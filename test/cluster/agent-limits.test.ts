import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ListAgentsRequest,
  type ListAgentsResponse,
  MapRequest,
  type MapResponse,
  type NameBundleRequest,
  type NameBundleResponse,
} from '@shoal/protocol';
import { connect } from 'shoal';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { unary } from './raw-client.ts';
import { TestCluster, until } from './test-cluster.ts';

let cluster: TestCluster;
let folder: string;
beforeEach(() => {
  cluster = new TestCluster();
  folder = mkdtempSync(join(tmpdir(), 'shoal-agent-limits-'));
});
afterEach(async () => {
  await cluster.stop();
  rmSync(folder, { recursive: true });
});

const MiB = 2 ** 20;

/** What the agents say that keeps them from some of their work, once that is as expected. */
async function toldOnce(isExpected: (troubles: readonly string[]) => boolean): Promise<string[]> {
  const { cluster: operator } = cluster.client;
  const deadline = performance.now() + 60_000;
  for (;;) {
    const { agents } = await unary<ListAgentsRequest, ListAgentsResponse>(
      (request, done) => operator.listAgents(request, done),
      ListAgentsRequest.fromPartial({}),
    );
    const troubles = agents.flatMap(({ stats }) => stats?.troubles ?? []);
    if (isExpected(troubles)) return troubles;
    if (performance.now() > deadline) throw new Error(`the agents still say: ${troubles.join(' ')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Keeps 60 MiB with every call, and says who it is. */
const hoards = (): number => {
  const kept = globalThis as { hoard?: Uint8Array[] };
  kept.hoard = [...(kept.hoard ?? []), new Uint8Array(60 * 2 ** 20).fill(1)];
  return process.pid;
};

test('the memory limit of an agent holds for jobs that set none, and bounds that of others', async () => {
  await cluster.start();
  await cluster.agent({ processes: 1, maxRssBytes: 150 * MiB });
  for (const maxRssBytes of [undefined, 2_000 * MiB]) {
    await using pool = await connect(cluster.coordinator.address, { maxRssBytes });
    const pids = await pool.map(hoards, new Array(6), { chunkSize: 6 });
    expect(new Set(pids).size, `with a limit of its own of ${maxRssBytes}`).toBeGreaterThanOrEqual(3);
  }
});

test('an agent without a memory limit leaves it to the job', async () => {
  await cluster.start();
  await cluster.agent({ processes: 1 });
  await using pool = await connect(cluster.coordinator.address);
  expect(new Set(await pool.map(hoards, new Array(4), { chunkSize: 4 })).size).toBe(1);
});

test('an agent that cannot store a bundle says so, serves jobs that it can, and recovers', async () => {
  await cluster.start({ heartbeatMs: 300 });
  await cluster.agent({ bundleDir: folder });
  const own = readdirSync(folder).find((name) => name.startsWith('shoal-bundles-')) ?? '';
  // A disk that takes nothing, however much the user of the tests may do.
  renameSync(join(folder, own), join(folder, 'elsewhere'));
  const { client, sha256 } = cluster;
  const jobId = await client.createJob(sha256, 'inc');
  const reading = client.read(jobId);
  await client.push(jobId, [1, 2, 3]);
  const [trouble] = await toldOnce((troubles) => troubles.length > 0);
  expect(trouble).toMatch(/^Bundle [0-9a-f]{12} cannot be stored in .*: ENOENT/);
  expect(cluster.events('agent.bundleNotStored')).toHaveLength(1);
  await using pool = await connect(cluster.coordinator.address);
  expect(await pool.map((x: number) => x * x, [1, 2, 3])).toEqual([1, 4, 9]);
  renameSync(join(folder, 'elsewhere'), join(folder, own));
  expect([...(await reading).values.values()]).toEqual([2, 3, 4]);
  await toldOnce((troubles) => troubles.length === 0);
  expect(cluster.events('agent.bundleStoredAgain')).toHaveLength(1);
});

test('an agent that takes no v8 runs jobs of other languages, and those of our client wait for one that does', async () => {
  await cluster.start();
  await cluster.agent({ processes: 1, encodings: ['json'] });
  await using pool = await connect(cluster.coordinator.address);
  const ours = pool.submit((x: number) => x, [1]);
  await until(
    'the reason',
    () => ours.progress.waitingFor,
    (seen) => seen === 'no agent accepts v8',
  );
  const { client, sha256 } = cluster;
  await unary<NameBundleRequest, NameBundleResponse>(
    (request, done) => client.bundles.nameBundle(request, done),
    { name: 'work', version: 1, sha256 },
  );
  const call = client.jobs.map();
  const answers: string[] = [];
  call.on('data', ({ outcomes }: MapResponse) => {
    for (const { outcome } of outcomes) {
      if (outcome?.$case === 'value') answers.push(Buffer.from(outcome.value).toString());
    }
  });
  call.write(MapRequest.fromPartial({ start: { function: 'work#inc' }, items: [Buffer.from('1')] }));
  call.end();
  await once(call, 'end');
  expect(answers).toEqual(['2']);
  await cluster.agent({ processes: 1 });
  expect(await ours.result()).toEqual([1]);
});

const addon = `fork-server-${process.platform}-${process.arch}.node`;
const canFork = existsSync(new URL(`../../libs/fork-server/dist/${addon}`, import.meta.url));

test.skipIf(!canFork)(
  'agents fork for whoever asks for it, unless they are told to spawn, and children of one server have one parent',
  async () => {
    const parent = (): { pid: number; parent: number } => ({ pid: process.pid, parent: process.ppid });
    for (const [startChildren, isForked] of [
      [undefined, true],
      ['spawn', false],
    ] as const) {
      const each = new TestCluster();
      try {
        await each.start();
        await each.agent({ processes: 1, ...(startChildren === undefined ? {} : { startChildren }) });
        await using pool = await connect(each.coordinator.address, {
          startChildren: 'fork',
          maxTasksPerChild: 1,
        });
        const seen = await pool.map(parent, [1, 2, 3]);
        expect(new Set(seen.map(({ pid }) => pid)).size).toBe(3);
        expect(new Set(seen.map((child) => child.parent)).size).toBe(1);
        // The agent runs in this process.
        expect(seen[0]?.parent === process.pid, startChildren).toBe(!isForked);
        // The agent's next heartbeat tells; who waits is counted as well.
        let { starts } = pool.stats();
        await until('its starts are told', () => {
          starts = pool.stats().starts;
          return starts.spawned + starts.forked >= 3;
        });
        if (isForked) expect(starts).toEqual({ spawned: 0, forked: starts.forked });
        else {
          const notForked = expect.stringMatching(/^\S+: its agent spawns \(--start-children spawn\)$/);
          expect(starts).toEqual({ spawned: starts.spawned, forked: 0, notForked });
        }
      } finally {
        await each.stop();
      }
    }
  },
);

test('a job whose only agent cannot store its code says so, at its deadline too, and runs once it can', async () => {
  await cluster.start();
  await cluster.agent({ bundleDir: folder });
  const own = readdirSync(folder).find((name) => name.startsWith('shoal-bundles-')) ?? '';
  renameSync(join(folder, own), join(folder, 'elsewhere'));
  await using pool = await connect(cluster.coordinator.address);
  const square = new URL('../../examples/square.ts', import.meta.url);
  const told = new Set<string>();
  const options = {
    export: 'square',
    onProgress: ({ waitingFor = '' }) => void told.add(waitingFor),
  };
  const lack =
    /for an agent that can hold what it needs; agent-1: Bundle \w{12} cannot be stored in .*: ENOENT/;
  const late = await pool
    .map(square, [3], { ...options, deadlineMs: 4_000 })
    .catch((error: unknown) => error);
  expect(late).toMatchObject({ code: 'JOB_DEADLINE', message: expect.stringMatching(lack) });
  expect([...told].filter((words) => lack.test(words))).not.toEqual([]);
  told.clear();
  const mapped = pool.map(square, [3], options);
  await until('its caller is told', () => [...told].some((words) => lack.test(words)));
  renameSync(join(folder, 'elsewhere'), join(folder, own));
  expect(await mapped).toEqual([9]);
});
