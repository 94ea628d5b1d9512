import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { blockOf, fixture, setupOf, TestPool, until } from './child-pool.testkit.ts';

const pools: TestPool[] = [];
function pool(processes: number): TestPool {
  const made = new TestPool(processes);
  pools.push(made);
  return made;
}
afterEach(async () => {
  await Promise.all(pools.splice(0).map(({ pool }) => pool.terminate()));
});

const one = (how: string, more: object = {}): object => ({ how, ...more });

test('every item of a chunk has its value, in its place', async () => {
  const items = Array.from({ length: 5_000 }, (_, i) => i);
  const { values, ending } = await pool(1).run('addOne', items);
  expect(ending).toEqual({ kind: 'finished' });
  expect(items.map((i) => values.get(i))).toEqual(items.map((i) => i + 1));
});

test('a chunk may begin and end inside blocks', async () => {
  const blocks = [blockOf([0, 1, 2], 0), blockOf([3, 4], 3), blockOf([5, 6, 7], 5)];
  const { values } = await pool(1).run('addOne', [], { first: 2, count: 4, blocks });
  expect([...values]).toEqual([
    [2, 3],
    [3, 4],
    [4, 5],
    [5, 6],
  ]);
});

test('an item that is tried again is as it was sent, whatever the first try did to it', async () => {
  const p = pool(1);
  const blocks = [blockOf([{ list: [1] }])];
  const source = '(item) => { item.list.push(2); return item.list.length; }';
  const task = { kind: 'inline', name: 'push', source } as const;
  await p.run(task, [], { count: 1, blocks });
  const { values } = await p.run(task, [], { count: 1, blocks });
  expect(values.get(0)).toBe(2);
});

test('a function that throws fails its item alone, with name, message, code, fields, cause and stack', async () => {
  const { values, failures, ending } = await pool(1).run('misbehave', [one('ok'), one('error'), one('ok')]);
  expect(ending).toEqual({ kind: 'finished' });
  expect([...values.keys()]).toEqual([0, 2]);
  expect(failures.get(1)).toMatchObject({
    code: 'ITEM_THREW',
    retryable: true,
    summary: 'TypeError: bad record',
    data: {
      name: 'TypeError',
      message: 'bad record',
      code: 'E_BAD',
      fields: { row: 7 },
      cause: { message: 'deep' },
    },
  });
  expect(failures.get(1)?.data.stack).toContain('child-tasks.ts');
  expect(failures.get(1)?.data.stack).not.toContain('item-runner');
});

test('anything may be thrown', async () => {
  const { failures } = await pool(1).run('misbehave', [one('string'), one('undefined'), one('proxy')]);
  expect(failures.get(0)?.data.thrown).toEqual({ value: 'a string' });
  expect(failures.get(1)?.data.thrown).toEqual({ value: undefined });
  expect(failures.get(2)?.data).toMatchObject({ name: 'Proxy', thrown: { description: expect.any(String) } });
});

test('a result that cannot travel is an error of its item, with the path of the culprit', async () => {
  const { values, failures } = await pool(1).run('misbehave', [one('function'), one('ok'), one('url')]);
  expect([...values.keys()]).toEqual([1]);
  const fields = (index: number) => failures.get(index)?.data.fields;
  expect(failures.get(0)?.code).toBe('VALUE_NOT_PORTABLE');
  expect(fields(0)).toMatchObject({ path: '.callbacks[0]', kind: 'a function' });
  expect(fields(2)).toMatchObject({ path: 'it', kind: 'a URL' });
});

test('a result over the limit is an error of its item', async () => {
  const options = { maxResultBytes: 1_000_000 };
  const { values, failures } = await pool(1).run('misbehave', [one('ok'), one('big')], options);
  expect([...values.keys()]).toEqual([0]);
  expect(failures.get(1)).toMatchObject({
    code: 'RESULT_TOO_LARGE',
    data: { fields: { limit: '976.6 KiB' } },
  });
});

test('retryOn decides by name, by code or by predicate, where the error is', async () => {
  const p = pool(1);
  const retryable = async (retryOn: { names: string[] } | { source: string }): Promise<unknown> =>
    (await p.run('misbehave', [one('error')], { retryOn })).failures.get(0)?.retryable;
  expect(await retryable({ names: ['TypeError'] })).toBe(true);
  expect(await retryable({ names: ['E_BAD'] })).toBe(true);
  expect(await retryable({ names: ['RangeError'] })).toBe(false);
  expect(await retryable({ source: '(error) => error.row === 7' })).toBe(true);
  expect(await retryable({ source: '(error) => error.missing.field' })).toBe(false);
});

test('arguments are spread, and items come as JSON and as bytes too', async () => {
  const p = pool(1);
  expect((await p.run('sum', [[1, 2]], { spread: true })).values.get(0)).toBe(3);
  const json = await p.run('sum', [[3, 4]], { spread: true, encoding: 'json' });
  expect(json.values.get(0)).toBe(7);
  const task = { kind: 'inline', name: 'reverse', source: '(bytes) => bytes.toReversed()' } as const;
  const bytes = await p.run(task, [Buffer.from('abc')], { encoding: 'bytes' });
  expect(String(bytes.values.get(0))).toBe('cba');
});

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

test('current() shows index, attempt and job inside an async function', async () => {
  const { values } = await pool(1).run('showCurrent', [0, 0], { first: 7, tryNumber: 3 });
  expect(values.get(8)).toEqual({ index: 8, attempt: 3, job: 'job', aborted: false });
});

test('several items of one child wait side by side', async () => {
  const items = Array.from({ length: 20 }, () => ({ name: 'it', ms: 300 }));
  const p = pool(1);
  const { values } = await p.run('printAndWait', items, { concurrentTasksPerChild: 10 });
  expect(values.size).toBe(20);
  const texts = p.prints.map(({ text }) => text);
  expect(texts.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 'start it'));
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

test('a module that does not export the name says what it exports', async () => {
  const { ending, detail } = await pool(1).run('adOne', [1]);
  expect(ending).toEqual({ kind: 'taskFailed' });
  expect(detail.failure).toMatchObject({
    code: 'TASK_EXPORT_MISSING',
    facts: { name: 'adOne', suggestion: 'Did you mean addOne?', exports: expect.stringContaining('busyMs') },
  });
});

test('an export that is a class is refused before any item runs', async () => {
  const { ending, detail } = await pool(1).run('Thing', [1, 2]);
  expect(ending).toEqual({ kind: 'taskFailed' });
  expect(detail.failure).toMatchObject({
    code: 'TASK_LOAD_FAILED',
    facts: {
      reason: 'its export "Thing" is a class, which cannot be called without new',
      hint: 'Export a function: (x) => new Thing(x).',
    },
  });
});

test('a module that cannot be loaded says why', async () => {
  const url = new URL('../no-such-module.ts', import.meta.url).href;
  const { ending, detail } = await pool(1).run({ kind: 'export', name: 'f', url, export: 'f' }, [1]);
  expect(ending).toEqual({ kind: 'taskFailed' });
  expect(detail.failure?.code).toBe('TASK_LOAD_FAILED');
  expect(detail.error?.code).toBe('ERR_MODULE_NOT_FOUND');
});

test('a module that kills every child is given up, and the pool lives', async () => {
  const p = pool(2);
  const url = new URL('../fixtures/kills-at-load.ts', import.meta.url).href;
  const { ending, detail } = await p.run({ kind: 'export', name: 'task', url, export: 'task' }, [1], {
    job: 'bad',
  });
  expect(ending).toEqual({ kind: 'taskFailed' });
  expect(detail.failure).toMatchObject({
    code: 'TASK_LOAD_FAILED',
    facts: { reason: expect.stringContaining('SIGKILL') },
  });
  expect(p.pool.stats().deaths).toBe(6);
  expect((await p.run('addOne', [1])).values.get(0)).toBe(2);
});

const initializer = (argument: unknown) => ({
  task: fixture('initialize'),
  args: blockOf([argument]).bytes,
});

test('the initializer runs before any item', async () => {
  const setup = setupOf({ initializer: initializer('ready') });
  expect((await pool(1).run('readInitialized', [1], { setup })).values.get(0)).toBe('ready');
});

test.each(['throw', 'exit'])(
  'an initializer that fails (%s) ends what waits for it; spawns are bounded',
  async (how) => {
    const p = pool(2);
    const setup = setupOf({ key: how, initializer: initializer(how) });
    const [a, b] = await Promise.all([p.run('addOne', [1], { setup }), p.run('addOne', [1], { setup })]);
    expect(a.ending).toEqual({ kind: 'initializerFailed' });
    expect(b.ending).toEqual({ kind: 'initializerFailed' });
    const message = how === 'throw' ? 'cannot initialize' : 'it ended its process by exit code 4';
    expect(a.detail.error?.message).toBe(message);
    expect((await p.run('addOne', [1])).values.get(0)).toBe(2);
  },
);

test('children that do not start at all end the chunk with the reason', async () => {
  const setup = setupOf({ key: 'bad', execArgv: ['--no-such-option'] });
  const { ending, detail } = await pool(1).run('addOne', [1], { setup });
  expect(ending).toEqual({ kind: 'taskFailed' });
  expect(detail.failure?.code).toBe('CHILD_START_FAILED');
  expect(String(detail.failure?.facts['reason'])).toContain('bad option');
});

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

test('a child out of memory is a death like any other', async () => {
  const source = '() => { const kept = []; for (;;) kept.push({ x: [1, 2, 3] }); }';
  const setup = setupOf({ key: 'small', execArgv: ['--max-old-space-size=40'] });
  const { ending, detail } = await pool(1).run({ kind: 'inline', name: 'hog', source }, [1], { setup });
  expect(ending).toMatchObject({ kind: 'childDied', suspects: [{ first: 0, count: 1 }] });
  expect(detail.stderrTail).toContain('heap');
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
