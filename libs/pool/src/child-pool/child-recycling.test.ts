import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isAlive } from '../../../../test/process-life.ts';
import { setupOf, TestPool, until } from './child-pool.testkit.ts';

test('12 items with limit 2, in chunks of 3, one process at a time: 6 processes with 2 items each', async () => {
  const p = new TestPool(1);
  const chunks = [0, 3, 6, 9].map((first) => p.run('addOne', [1, 2, 3], { first, maxTasksPerChild: 2 }));
  const outcomes = await Promise.all(chunks);
  const pids = outcomes.flatMap(({ pids }) => [...pids.values()]);
  const counts = new Map<number, number>();
  for (const pid of pids) counts.set(pid, (counts.get(pid) ?? 0) + 1);
  expect([...counts.values()]).toEqual([2, 2, 2, 2, 2, 2]);
  await p.pool.close();
});

test('failed items count, and so do those of other jobs', async () => {
  const p = new TestPool(1);
  const items = [{ how: 'error' }, { how: 'ok' }, { how: 'error' }];
  const first = await p.run('misbehave', items, { maxTasksPerChild: 4 });
  const second = await p.run('whoRan', [1, 2, 3], { job: 'other', maxTasksPerChild: 4 });
  const pid = first.pids.get(1);
  expect([0, 1, 2].map((i) => second.pids.get(i) === pid)).toEqual([true, false, false]);
  await p.pool.close();
});

test('recycling does not wait: the successor is started while its predecessor still works', async () => {
  const p = new TestPool(1);
  const { pids } = await p.run('busyMs', [300], { maxTasksPerChild: 1 });
  const endedAt = Date.now();
  const next = await p.run('whoRan', [1], { maxTasksPerChild: 2 });
  const [successor] = p.pool.stats().processes;
  expect(next.pids.get(0)).not.toBe(pids.get(0));
  expect(successor?.pid).toBe(next.pids.get(0));
  expect(endedAt - Number(successor?.startedAt)).toBeGreaterThan(200);
  await p.pool.close();
});

test('a child over maxRssBytes is replaced between items, and no item is lost', async () => {
  const p = new TestPool(1);
  const setup = setupOf({ maxRssBytes: 300 * 1024 * 1024 });
  const { values, ending } = await p.run('leak', [100, 100, 100, 100, 100, 100], { setup });
  expect(ending).toEqual({ kind: 'finished' });
  const pids = [...values.values()];
  expect(pids.length).toBe(6);
  expect(new Set(pids).size).toBeGreaterThanOrEqual(2);
  expect(p.pool.stats()).toMatchObject({ deaths: 0 });
  expect(p.pool.stats().recycled).toBeGreaterThanOrEqual(1);
  await p.pool.close();
});

test('a child over maxAgeMs is replaced between items', async () => {
  const p = new TestPool(1);
  const setup = setupOf({ maxAgeMs: 150 });
  // Many: its pool, which looks at the clock, may not get to run for a while.
  const { pids } = await p.run('waitMs', Array(25).fill(60), { setup });
  expect(new Set(pids.values()).size).toBeGreaterThanOrEqual(2);
  await p.pool.close();
});

test('300 recycles leave no descriptor, no listener and no zombie', async () => {
  const p = new TestPool(2);
  await Promise.all([0, 1].map((first) => p.run('addOne', [1], { first, maxTasksPerChild: 1 })));
  await until('it is quiet', () => p.pool.stats().processes.every(({ state }) => state === 'idle'));
  const before = traces();
  const chunks = Array.from({ length: 100 }, (_, i) =>
    p.run('addOne', [1, 2, 3], { first: i * 3, maxTasksPerChild: 1 }),
  );
  const pids = (await Promise.all(chunks)).flatMap((outcome) => [...outcome.pids.values()]);
  expect(new Set(pids).size).toBe(300);
  await until(
    'nobody is left but the pool',
    () => {
      const now = traces();
      return (now.descriptors <= before.descriptors + 4 && now.children <= before.children + 1) || now;
    },
    20_000,
  );
  expect(traces().listeners).toEqual(before.listeners);
  await p.pool.close();
  await until('every child is gone', () => traces().children === 1 || traces());
}, 180_000);

/** What a process that forgets to tidy up would gather. The reaper is a child too, and stays. */
function traces(): { descriptors: number; children: number; listeners: number } {
  const descriptors = readdirSync('/proc/self/fd').length;
  const text = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim();
  const events = process.eventNames();
  return {
    descriptors,
    children: text === '' ? 0 : text.split(' ').length,
    listeners: events.reduce((sum, event) => sum + process.listenerCount(event), 0),
  };
}

test('a recycled child takes along what its items have started', async () => {
  const p = new TestPool(1);
  const { values } = await p.run('misbehave', [{ how: 'grandchild' }], { maxTasksPerChild: 1 });
  const grandchild = Number(values.get(0));
  await until('the grandchild is gone', () => !isAlive(grandchild));
  await p.pool.close();
});
