import { ClusterClient } from '@shoal/client';
import { Heartbeat, Join, type ListAgentsResponse, type ListJobsResponse, ownPeer } from '@shoal/protocol';
import { connect } from 'shoal';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { unary } from './raw-client.ts';
import { TestCluster, until } from './test-cluster.ts';

const cluster = new TestCluster();
/** Of a page of a list: the least that there may be. */
const partBytes = 4_096;
const names = Array.from({ length: 40 }, (_, at) => `worker-${String(at).padStart(2, '0')}.example`);

/** An agent that says once that it runs so many processes of a group, and no more. */
function joinWith(agentName: string, processes: number, groupId: string): void {
  const control = cluster.client.agents.control();
  const all = Array.from({ length: processes }, (_, at) => ({ pid: at + 1, groupId, rssBytes: 80e6 }));
  const stats = { processes: all, recycled: 1 };
  // The cluster ends with them.
  control.on('error', () => {});
  control.on('data', ({ message }) => {
    if (message?.$case !== 'joined') return;
    control.write({
      message: { $case: 'heartbeat', value: Heartbeat.fromPartial({ sequence: 1, stats }) },
    });
  });
  control.write({
    message: {
      $case: 'join',
      value: Join.fromPartial({ agentName, instance: agentName, slots: 64, agent: ownPeer }),
    },
  });
}

const pageOfAgents = (pageToken: string, groupId = ''): Promise<ListAgentsResponse> =>
  unary(
    (request: { pageToken: string; groupId: string }, done) =>
      cluster.client.cluster.listAgents(request, done),
    {
      pageToken,
      groupId,
    },
  );

let client: ClusterClient;

beforeAll(async () => {
  await cluster.start({ partBytes, leaseMs: 600_000 });
  client = await ClusterClient.open(cluster.coordinator.address);
  for (const name of [...names].reverse()) joinWith(name, 20, 'g-1');
  await until(
    'all agents told of their processes',
    async () => (await client.agents()).filter(({ stats }) => stats?.recycled === 1).length,
    (told) => told === names.length,
  );
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await cluster.stop();
});

test('agents with more processes than one message may tell are listed in pages, each of them once', async () => {
  const seen: string[] = [];
  const sizes: number[] = [];
  let token = '';
  do {
    const page = await pageOfAgents(token);
    sizes.push(page.agents.length);
    seen.push(...page.agents.map(({ name }) => name));
    token = page.nextPageToken;
  } while (token !== '');
  expect(seen).toEqual(names);
  expect(sizes.length).toBeGreaterThan(1);
  expect((await client.agents()).map(({ name }) => name)).toEqual(names);
});

test('the processes of one group can be asked for alone', async () => {
  const { agents } = await pageOfAgents('', 'g-2');
  expect(agents.map(({ stats }) => stats?.processes.length)).toEqual(names.map(() => 0));
  const [first] = (await pageOfAgents('', 'g-1')).agents;
  expect(first?.stats?.processes).toHaveLength(20);
});

test('jobs are listed in pages, the newest first, each of them once', async () => {
  await using pool = await connect(cluster.coordinator.address);
  // Nobody runs them: these agents only say that they have processes.
  const jobs = Array.from({ length: 120 }, (_, at) => pool.submit((x: number) => x, [at]));
  for (const job of jobs) job.result().catch(() => {});
  await until(
    'all jobs are known',
    async () => (await client.jobs()).length,
    (count) => count === jobs.length,
  );
  const seen: string[] = [];
  let pages = 0;
  for (let pageToken = ''; pages === 0 || pageToken !== ''; pages += 1) {
    const page: ListJobsResponse = await unary(
      (request: { pageToken: string }, done) => cluster.client.jobs.listJobs(request, done),
      { pageToken },
    );
    seen.push(...page.jobs.map(({ jobId }) => jobId));
    pageToken = page.nextPageToken;
  }
  const listed = await client.jobs();
  expect(pages).toBeGreaterThan(1);
  expect(listed.map(({ jobId }) => jobId)).toEqual(seen);
  expect(new Set(seen).size).toBe(jobs.length);
  const created = listed.map(({ createdUnixMs }) => createdUnixMs);
  expect(created).toEqual([...created].sort((a, b) => b - a));
  await pool.terminate();
});

test.each(['abc', '-1', 'NaN', '1e3', '9'.repeat(16)])(
  'a page that no answer spoke of is refused: %s',
  async (pageToken) => {
    await expect(
      unary((request: { pageToken: string }, done) => cluster.client.jobs.listJobs(request, done), {
        pageToken,
      }),
    ).rejects.toThrow('page_token: is none that an answer had');
  },
);
