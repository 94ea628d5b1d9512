import { connect } from 'shoal';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { slack } from '../slack.ts';
import { type Link, startLink } from './broken-link.ts';
import { TestCluster, until } from './test-cluster.ts';

let cluster: TestCluster;
let link: Link;
beforeEach(async () => {
  cluster = new TestCluster();
  await cluster.start();
  await cluster.agent();
  link = await startLink(cluster.coordinator.address);
});
afterEach(async () => {
  link.close();
  await cluster.stop();
});

/** A task that is there for longer than any test, unless it is stopped. */
const endless = async (item: number): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, 600_000));
  return item;
};

test('G26: a deadline holds on both sides of a connection that has fallen silent', async () => {
  await using pool = await connect(link.address);
  const startedAtMs = performance.now();
  const job = pool.submit(endless, [1, 2], { deadlineMs: 2_000 });
  await until(
    'both run',
    () => cluster.coordinator.status().runningItems,
    (seen) => seen === 2,
  );
  link.stall(true);
  await expect(job.result()).rejects.toMatchObject({ code: 'JOB_DEADLINE', facts: { limit: '2 s' } });
  expect(performance.now() - startedAtMs).toBeLessThan(3_500 * slack());
  expect(await until('it has ended there', () => cluster.events('job.ended')[0])).toMatchObject({
    state: 'deadline',
  });
  await until(
    'its slots are free',
    () => cluster.coordinator.status().runningItems,
    (seen) => seen === 0,
  );
});

test('a deadline that passes while no agent has the labels says so, and what to type (G20)', async () => {
  await using pool = await connect(cluster.coordinator.address);
  let error: unknown;
  // So long that the coordinator has the job by then, however slow the machine is.
  for (const deadlineMs of [1_000, 4_000, 16_000]) {
    const options = { labels: { gpu: 'yes' }, deadlineMs };
    error = await pool.map((item: number) => item, [1], options).catch((reason: unknown) => reason);
    if (!/has taken it/.test(String(error))) break;
  }
  const waitingFor = `no agent has label gpu=yes; start one: shoal agent --join ${cluster.coordinator.address} --labels gpu=yes`;
  expect(error).toMatchObject({
    code: 'JOB_DEADLINE',
    facts: { waitingFor },
    message: expect.stringContaining(`It waited: ${waitingFor}. Raise deadlineMs where`),
  });
});
