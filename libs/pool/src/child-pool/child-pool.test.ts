import { expect, test } from 'vitest';
import { setupOf, until } from './child-pool.testkit.ts';
import { poolsOfTests } from './test-pools.testkit.ts';

const pool = poolsOfTests();
const one = (how: string, more: object = {}): object => ({ how, ...more });

test('children of one key do not serve another, and slots are shared', async () => {
  const p = pool(1);
  const a = await p.run('whoRan', [1], { setup: setupOf({ key: 'a' }) });
  const b = await p.run('whoRan', [1], { setup: setupOf({ key: 'b' }) });
  expect(b.pids.get(0)).not.toBe(a.pids.get(0));
  await until('one process is left', () => p.pool.stats().processes.length === 1);
});

test('polluted prototypes stay the business of their child', async () => {
  const p = pool(1);
  await p.run('misbehave', [one('pollute')]);
  const { values, failures, ending } = await p.run('misbehave', [one('ok'), one('error')]);
  expect(ending).toEqual({ kind: 'finished' });
  expect(values.get(0)).toEqual({ how: 'ok' });
  expect(failures.get(1)?.summary).toBe('TypeError: bad record');
});

test('a task that takes the language apart has its results all the same', async () => {
  const source = `(x) => {
    JSON.stringify = JSON.parse = globalThis.setImmediate = globalThis.setTimeout = globalThis.performance = null;
    process.removeAllListeners();
    return x;
  }`;
  const p = pool(1);
  const { values, ending } = await p.run({ kind: 'inline', name: 'vandal', source }, [5, 6]);
  expect(ending).toEqual({ kind: 'finished' });
  expect([...values.values()]).toEqual([5, 6]);
  expect(p.pool.stats().deaths).toBe(0);
});

test('what waits for a consumer waits in the children', async () => {
  const p = pool(1);
  await p.run('addOne', [1]);
  p.pool.pauseResults();
  let isDone = false;
  const chunk = p.run(
    { kind: 'inline', name: 'text', source: "() => 'x'.repeat(10_000)" },
    Array.from({ length: 1_000 }),
  );
  void chunk.then(() => {
    isDone = true;
  });
  // Time is the subject: nothing but time tells that nobody reads.
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(isDone).toBe(false);
  p.pool.resumeResults();
  expect((await chunk).values.size).toBe(1_000);
});

test('close() runs what was handed in; terminate() does not', async () => {
  const p = pool(1);
  const chunk = p.run('waitMs', [100, 100]);
  await p.pool.close();
  expect((await chunk).ending).toEqual({ kind: 'finished' });
  await expect(p.run('addOne', [1])).rejects.toThrow(/closed/);
  const q = pool(1);
  const cut = q.run('misbehave', [one('hang')], { marksStarts: true });
  await until('it runs', () => q.pool.stats().processes[0]?.tasksRun === 1);
  const startedAt = performance.now();
  await q.pool.terminate();
  expect((await cut).ending).toEqual({ kind: 'aborted' });
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});
