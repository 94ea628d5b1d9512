import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isAlive } from '../../../test/process-life.ts';
import { slack } from '../../../test/slack.ts';
import { until } from './child-pool/child-pool.testkit.ts';
import { leavesPoolOpen, mapsInside, neverDone } from './fixtures/nested-tasks.ts';
import { Pool } from './pool.ts';

test('a task may open a pool of its own, whatever the size of the pool that it runs in', async () => {
  await using pool = new Pool({ processes: 1 });
  expect(await pool.map(mapsInside, [3, 2])).toEqual([
    [0, 2, 4],
    [0, 2],
  ]);
});

test('a pool that a task left open neither keeps its process nor outlives it', async () => {
  await using pool = new Pool({ processes: 1, maxTasksPerChild: 1 });
  const results = await pool.map(leavesPoolOpen, [1, 2]);
  expect(results.map(([double]) => double)).toEqual([2, 4]);
  const inner = results.flatMap(([, ...pids]) => pids);
  expect(inner).toHaveLength(2);
  await until(
    'the inner processes are gone',
    () => !inner.some((pid) => pid !== undefined && isAlive(pid)) || inner,
  );
});

test('a child that is killed takes the processes of its own pool with it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-nested-'));
  try {
    await using pool = new Pool({ processes: 1 });
    const file = join(folder, 'pids');
    const [outcome] = await pool.mapSettled(neverDone, [file], { timeoutMs: 3_000 });
    expect(outcome).toMatchObject({ status: 'rejected', error: { code: 'ITEM_TIMED_OUT' } });
    const inner = readFileSync(file, 'utf8').trim().split('\n').map(Number);
    expect(inner).toHaveLength(1);
    await until('the inner process is gone', () => !inner.some(isAlive) || inner, 2_000 * slack());
  } finally {
    rmSync(folder, { recursive: true });
  }
});
