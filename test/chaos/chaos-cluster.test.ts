/** A check for leaks is worth what it finds: one leak of each kind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ChaosCluster, shortTimes } from './chaos-cluster.ts';
import { spin } from './work.ts';

test.concurrent('a process that outlives its job is a leak', async () => {
  await using cluster = await ChaosCluster.start({ agents: [], times: shortTimes });
  const stray = spawn('sleep', ['1000'], { env: { ...process.env, ...cluster.env }, stdio: 'ignore' });
  await expect(cluster.leaksNothing()).rejects.toThrow(
    `no child and no grandchild is left. Seen: ${stray.pid} sleep`,
  );
});

test.concurrent('a connection that nobody needs is a leak', async () => {
  await using cluster = await ChaosCluster.start({ agents: ['one'], times: shortTimes });
  // One that speaks HTTP/2: any other would be dropped by itself.
  const stray = connect(`http://${cluster.address}`);
  stray.on('error', () => {});
  await once(stray, 'connect');
  await expect(cluster.leaksNothing()).rejects.toThrow('"coordinator":{"connections":2');
  stray.destroy();
});

test.concurrent('a busy slot is a leak', async () => {
  await using cluster = await ChaosCluster.start({ agents: ['one'], times: shortTimes });
  const pool = await cluster.connect();
  const job = pool.submit(spin, cluster.orders(2, 0));
  await cluster.started(2);
  await expect(cluster.leaksNothing()).rejects.toThrow('Still busy: {"activeJobs":1,"busySlots":2');
  job.cancel();
  await job.wait();
});

test.concurrent('a file that is left is a leak', async () => {
  await using cluster = await ChaosCluster.start({ agents: [], times: shortTimes });
  writeFileSync(join(cluster.env['TMPDIR'] ?? '', 'left-behind'), '');
  await expect(cluster.leaksNothing()).rejects.toThrow('Left in the folder for temporary files: left-behind');
});
