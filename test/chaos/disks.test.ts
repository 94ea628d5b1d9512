/** Disks that are full. */
import { describe, expect, test } from 'vitest';
import { ChaosCluster, expected, shortTimes } from './chaos-cluster.ts';
import { holdTo } from './figures.ts';
import { Network } from './network.ts';
import { SmallDisk } from './small-disk.ts';
import { unevenWork, work } from './work.ts';

// A file system of one's own takes the same rights as a network of one's own.
const missing = await Network.missing();
if (missing !== undefined) {
  const loud = `NO NETWORK NAMESPACES: full disks are not tested here, for want of ${missing}. REQUIRE_NETNS=1 makes this an error.`;
  if (process.env['REQUIRE_NETNS'] === '1') throw new Error(loud);
  console.warn(loud);
}

describe.skipIf(missing !== undefined)('full disks', () => {
  test.concurrent('an agent without room for the code of a job leaves it to others, says so, and serves again when there is room', async () => {
    await using disk = await SmallDisk.mount();
    await using cluster = await ChaosCluster.start({ agents: ['roomy'], times: shortTimes });
    const full = await cluster.startAgent('full', { env: { TMPDIR: disk.path } });
    disk.fill();
    const pool = await cluster.connect();
    const orders = cluster.orders(60, 40);
    const fromMs = performance.now();
    expect(await pool.map(work, orders)).toEqual(expected(orders));
    holdTo(15_000, 'one of two agents without disk, the job is done', performance.now() - fromMs);
    expect(new Set(cluster.book.executions().map(({ agent }) => agent))).toEqual(new Set(['roomy']));
    expect(full.alive).toBe(true);
    const [said] = full.events('agent.bundleNotStored');
    expect(said?.msg).toMatch(/cannot be stored in .*: ENOSPC: no space left on device/);

    disk.free();
    const more = cluster.orders(200, 40).map((order) => ({ ...order, slow: '' }));
    expect(await pool.map(unevenWork, more)).toEqual(expected(more));
    expect(new Set(cluster.book.executions().map(({ agent }) => agent))).toEqual(new Set(['roomy', 'full']));
    await full.event('agent.bundleStoredAgain', 30_000);
    await cluster.leaksNothing();
  });

  test.concurrent('a coordinator without room for what a job brings fails that job, in words, and lives on', async () => {
    await using disk = await SmallDisk.mount();
    const room = { maxPayloadBytes: 2 ** 20, spillDir: disk.path };
    await using cluster = await ChaosCluster.start({
      agents: ['one', 'two'],
      times: { ...shortTimes, ...room },
    });
    disk.fill();
    const pool = await cluster.connect();
    const heavy = cluster.orders(400, 1, { ballast: 'x'.repeat(100_000) });
    await expect(pool.map(work, heavy)).rejects.toMatchObject({
      code: 'NO_ROOM',
      message: expect.stringContaining("the coordinator's disk took no more (ENOSPC)"),
    });
    const light = cluster.orders(60, 5);
    expect(await pool.map(work, light)).toEqual(expected(light));
    disk.free();
    await cluster.leaksNothing();
  });
});
