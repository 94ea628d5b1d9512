/** A cluster whose agents fork their children (`shoal agent --start-children fork`), for pools that say nothing of it. */
import { expect, test } from 'vitest';
import { forkAddon } from '../../libs/pool/src/launchers/fork-addon.ts';
import { forkingClusterChapters } from './chapters.ts';
import { openOnLoopback } from './loopback-cluster.ts';
import { eventually, type OpenPool, upTo } from './pool-under-test.ts';
import { hold } from './specification.ts';
import { whoRan } from './work.ts';

const open: OpenPool = (options) => openOnLoopback(options, { startChildren: 'fork' });

hold('cluster', forkingClusterChapters, open);

test('every child of these cases is forked, where this machine can', async () => {
  await using pool = await open({ processes: 2, maxTasksPerChild: 1 });
  await pool.map(whoRan, upTo(6));
  const { forked, spawned } = await eventually(
    () => pool.stats().starts,
    (starts) => starts.forked + starts.spawned >= 6,
  );
  if (forkAddon().addon === undefined) expect([forked, spawned]).toEqual([0, expect.any(Number)]);
  else expect([forked, spawned]).toEqual([expect.any(Number), 0]);
});
