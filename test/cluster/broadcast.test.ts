import { ClusterClient } from '@shoal/client';
import { connect } from 'shoal';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lookUp, sleepThenLookUp } from '../conformance/work.ts';
import { TestCluster, until } from './test-cluster.ts';

let cluster: TestCluster;
beforeEach(() => {
  cluster = new TestCluster();
});
afterEach(() => cluster.stop());

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const squares = upTo(1_000).map((x) => x * x);

test('an agent that takes a lost one’s work gets the constant too', async () => {
  await cluster.start();
  const victim = await cluster.agentProcess('victim');
  await using pool = await connect(cluster.coordinator.address);
  const table = pool.broadcast(squares);
  const job = pool.submit(
    sleepThenLookUp,
    upTo(60).map((at) => ({ at, table })),
  );
  await until('the job is under way', () => job.progress.done > 4 && job.progress.done < 40);
  await cluster.agent();
  victim.kill('SIGKILL');
  expect(await job.result()).toEqual(upTo(60).map((at) => at * at));
  expect(cluster.events('agent.lost')).toMatchObject([{ agent: 'victim' }]);
});

test('a constant goes to the coordinator once, however many jobs use it', async () => {
  await cluster.start();
  await cluster.agent();
  await using pool = await connect(cluster.coordinator.address);
  const table = pool.broadcast(squares);
  for (let job = 0; job < 3; job++) expect(await pool.map(lookUp, [{ at: job, table }])).toEqual([job * job]);
  const stored = cluster.events('bundle.stored').map(({ bytes }) => bytes);
  // The raw client's module, that of the tasks, the constant.
  expect(stored).toHaveLength(3);
});

test('a constant that had to make room at the coordinator is sent again', async () => {
  // Room for the code and one of them; jobs are forgotten soon after their client has left.
  await cluster.start({ maxBundleBytes: 1_000_000, maxBundleStoreBytes: 1_000_000, ephemeralGraceMs: 300 });
  await cluster.agent();
  await using pool = await connect(cluster.coordinator.address);
  const [one, two] = [pool.broadcast('1'.repeat(600_000)), pool.broadcast('2'.repeat(600_000))];
  await using client = await ClusterClient.open(cluster.coordinator.address);
  const forgotten = async (): Promise<void> => {
    const deadline = performance.now() + 60_000;
    while ((await client.jobs()).length > 0) expect(performance.now()).toBeLessThan(deadline);
  };
  const sent = (): number =>
    cluster.events('bundle.stored').filter(({ bytes }) => Number(bytes) > 600_000).length;
  const firstOf = ({ table: { value } }: { table: typeof one }): string | undefined => value[0];
  expect(await pool.map(firstOf, [{ table: one }])).toEqual(['1']);
  await forgotten();
  expect(await pool.map(firstOf, [{ table: two }])).toEqual(['2']);
  await forgotten();
  expect(await pool.map(firstOf, [{ table: one }])).toEqual(['1']);
  expect(sent()).toBe(3);
});

test('a constant that is too big for the cluster ends the job, and the error names the option', async () => {
  await cluster.start({ maxBundleBytes: 100_000 });
  await cluster.agent();
  await using pool = await connect(cluster.coordinator.address);
  const table = pool.broadcast('x'.repeat(200_000));
  const error = await pool
    .map((item: { table: typeof table }) => item.table.value.length, [{ table }])
    .catch((e) => e);
  expect(error).toMatchObject({ code: 'LIMIT_REACHED' });
  expect(String(error)).toContain('--max-bundle-bytes');
  // The coordinator was told, so that its job does not wait for items that never come.
  await until(
    'the job is over',
    () => cluster.coordinator.status().activeJobs,
    (seen) => seen === 0,
  );
});
