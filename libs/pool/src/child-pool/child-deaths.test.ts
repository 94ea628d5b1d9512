/** Items that end their child, or are ended with it, and who is suspect. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { setupOf, until } from './child-pool.testkit.ts';
import { poolsOfTests } from './test-pools.testkit.ts';

const pool = poolsOfTests();
const one = (how: string, more: object = {}): object => ({ how, ...more });

test.each([
  ['kill', { signal: 'SIGKILL' }],
  ['abort', { signal: 'SIGABRT' }],
  ['exit0', { exitCode: 0 }],
  ['exit3', { exitCode: 3 }],
])('a task that ends its process (%s) is a death, with its suspects', async (how, exit) => {
  const p = pool(1);
  const { ending } = await p.run('misbehave', [one('ok'), one('sleep'), one(how), one('ok')]);
  expect(ending).toMatchObject({ kind: 'childDied', exit: { pid: expect.any(Number), ...exit } });
  if (ending.kind !== 'childDied') return;
  expect(ending.suspects[0]?.first).toBe(2);
  // Whoever leaves through its exit handlers says who was running.
  if (how.startsWith('exit')) {
    expect(ending.suspects).toEqual([{ first: 2, count: 1 }]);
    expect(ending.unstarted).toEqual([{ first: 3, count: 1 }]);
  }
  expect((await p.run('addOne', [1])).values.get(0)).toBe(2);
  expect(p.pool.stats().deaths).toBe(1);
});

test('a chunk that marks its starts has exactly one suspect', async () => {
  const { ending } = await pool(1).run('misbehave', [one('ok'), one('kill'), one('ok')], {
    marksStarts: true,
  });
  expect(ending).toMatchObject({
    suspects: [{ first: 1, count: 1 }],
    unstarted: [{ first: 2, count: 1 }],
  });
});

test.each(['garbage', 'close'])('a task that spoils the descriptor (%s) dies and is suspect', async (how) => {
  const { ending } = await pool(1).run('misbehave', [one(how)], { marksStarts: true });
  expect(ending).toMatchObject({ kind: 'childDied', suspects: [{ first: 0, count: 1 }] });
});

test.each(['rejectLater', 'throwLater'])(
  'what an item leaves behind (%s) blames nobody, and all items run',
  async (how) => {
    const p = pool(1);
    const { values, ending } = await p.run('misbehave', [one(how), one('ok')]);
    expect(ending).toEqual({ kind: 'finished' });
    expect(values.size).toBe(2);
    const next = await p.run('addOne', [1]);
    expect(next.ending).toEqual({ kind: 'finished' });
  },
);

test.each(['hang', 'never', 'stop'])('an item that runs too long (%s) is killed and named', async (how) => {
  const { ending } = await pool(1).run('misbehave', [one('ok'), one(how), one('ok')], { timeoutMs: 300 });
  expect(ending).toMatchObject({ kind: 'timedOut', index: 1, unstarted: [{ first: 2, count: 1 }] });
  if (ending.kind === 'timedOut') expect(ending.ms).toBeGreaterThanOrEqual(300);
});

test('an aborted chunk ends within its grace time, and nothing more is reported of it', async () => {
  const p = pool(1);
  const chunk = p.run('misbehave', [one('hang')], { marksStarts: true });
  // A child is busy as soon as it has the chunk; only a start that is marked says that the item runs.
  await until('it runs', () => p.pool.stats().processes[0]?.tasksRun === 1);
  const startedAt = performance.now();
  p.pool.abort(p.lastId, 200);
  expect((await chunk).ending).toEqual({ kind: 'aborted', started: [{ first: 0, count: 1 }] });
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  expect((await p.run('addOne', [1])).values.get(0)).toBe(2);
});

test('a running item sees its signal abort, ahead of the kill', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-test-'));
  const file = join(folder, 'aborted');
  const p = pool(1);
  const chunk = p.run('noteAbort', [file], { marksStarts: true });
  await until('it listens', () => existsSync(file));
  p.pool.abort(p.lastId);
  expect((await chunk).ending).toEqual({ kind: 'aborted', started: [{ first: 0, count: 1 }] });
  expect(readFileSync(file, 'utf8')).toBe('AbortError');
  // It gave in, so its process lives on.
  expect(p.pool.stats().deaths).toBe(0);
  rmSync(folder, { recursive: true });
});

test('items that finish in the same moment are told one by one where starts are marked', async () => {
  const p = pool(1);
  const same = { kind: 'inline', name: 'same', source: 'async (x) => x' } as const;
  const { values } = await p.run(same, [1, 2, 3, 4], { concurrentTasksPerChild: 4, marksStarts: true });
  expect([...values.values()]).toEqual([1, 2, 3, 4]);
  // One of them may have run too long: what is dropped with its value would be run again, though it is done.
  expect(p.told).toEqual(['results', 'results', 'results', 'results']);
});

test('when a child with several items dies, those that had started are suspects', async () => {
  const items = [one('never'), one('never'), one('sleep', { ms: 50 }), one('kill'), one('ok')];
  const { ending } = await pool(1).run('misbehave', items, { concurrentTasksPerChild: 3 });
  expect(ending).toMatchObject({
    kind: 'childDied',
    suspects: [
      { first: 0, count: 2 },
      { first: 3, count: 1 },
    ],
    unstarted: [{ first: 4, count: 1 }],
  });
});

test('a child out of memory is a death like any other', async () => {
  const source = '() => { const kept = []; for (;;) kept.push({ x: [1, 2, 3] }); }';
  const setup = setupOf({ key: 'small', execArgv: ['--max-old-space-size=40'] });
  const { ending, detail } = await pool(1).run({ kind: 'inline', name: 'hog', source }, [1], { setup });
  expect(ending).toMatchObject({ kind: 'childDied', suspects: [{ first: 0, count: 1 }] });
  expect(detail.stderrTail).toContain('heap');
});
