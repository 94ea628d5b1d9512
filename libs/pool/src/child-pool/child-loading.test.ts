/** Modules, exports and initializers that are there before any item runs, or are not. */
import { expect, test } from 'vitest';
import { blockOf, fixture, setupOf } from './child-pool.testkit.ts';
import { poolsOfTests } from './test-pools.testkit.ts';

const pool = poolsOfTests();

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
