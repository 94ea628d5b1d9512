import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { setupOf, TestPool } from '../child-pool/child-pool.testkit.ts';
import type { ChildSetup, TaskRef } from '../child-pool/chunk-request.ts';
import { forkAddon } from './fork-addon.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-links-'));
  write('package.json', '{"type":"module"}');
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** What is written this very moment is waited for until it could not be written again within the same tick of the clock. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 150));

function taskOf(path: string): TaskRef {
  return { kind: 'export', name: 'f', url: pathToFileURL(path).href, export: 'f' };
}

/** Values, each of a child of its own. */
async function runAll(
  pool: TestPool,
  path: string,
  count: number,
  setup: Partial<ChildSetup> = {},
): Promise<readonly unknown[]> {
  const items = Array.from({ length: count }, (_, at) => at);
  const all = setupOf({ startChildren: 'fork', stdio: 'ignore', ...setup });
  const { ending, detail, values } = await pool.run(taskOf(path), items, { setup: all, maxTasksPerChild: 1 });
  return ending.kind === 'finished' ? [...values.values()] : [ending.kind, detail];
}

/** Runs it until it is as it should be. */
async function eventually(
  what: string,
  run: () => Promise<unknown>,
  isIt: (value: unknown) => boolean,
): Promise<unknown> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const value = await run();
    if (isIt(value)) return value;
    if (performance.now() > deadline)
      throw new Error(`${what}: not within 30 s; last seen: ${JSON.stringify(value)}`);
  }
}

const of = (values: readonly unknown[], name: string): unknown[] => [
  ...new Set(values.map((value) => (value as Record<string, unknown>)[name])),
];

describe.skipIf(forkAddon().why !== undefined)('a cold fork server', () => {
  let pool: TestPool;
  beforeEach(() => {
    pool = new TestPool(2);
  });
  afterEach(async () => await pool.pool.terminate());

  test('runs no line of a module, and each child runs each of them once', async () => {
    const log = join(folder, 'log');
    const note = (name: string): string =>
      `appendFileSync(${JSON.stringify(log)}, \`${name} \${process.pid}\\n\`);`;
    const fs = `import { appendFileSync } from 'node:fs';`;
    write(
      'node_modules/dependency/package.json',
      '{"name":"dependency","type":"module","exports":"./main.js"}',
    );
    write('node_modules/dependency/main.js', `${fs} ${note('dependency')} export const one = 1;`);
    write(
      'cycle.js',
      `${fs} import { f } from './task.js'; ${note('cycle')} export const later = () => typeof f;`,
    );
    const task = write(
      'task.js',
      `${fs} import { one } from 'dependency'; import { later } from './cycle.js'; ${note('task')}
      const waited = await new Promise((resolve) => setTimeout(resolve, 1, one));
      export const f = () => ({ pid: process.pid, ppid: process.ppid, waited, later: later(), url: import.meta.url });`,
    );
    await settled();
    const values = await runAll(pool, task, 5);
    expect(of(values, 'waited')).toEqual([1]);
    expect(of(values, 'later')).toEqual(['function']);
    expect(of(values, 'url')).toEqual([pathToFileURL(task).href]);
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    const servers = of(values, 'ppid');
    expect(lines.filter((line) => servers.includes(Number(line.split(' ')[1])))).toEqual([]);
    for (const pid of of(values, 'pid')) {
      const own = lines.filter((line) => line.endsWith(` ${pid}`)).map((line) => line.split(' ')[0]);
      expect(own).toEqual(['dependency', 'cycle', 'task']);
    }
    expect(pool.pool.stats().starts).toMatchObject({ spawned: 0 });
  });

  test.each([
    ['a task module', 'task.js', `export const f = () => ({ is: 'after', ppid: process.ppid });`],
    ['a module that it imports', 'part.js', `export const is = 'after';`],
    ['a package that it imports', 'node_modules/dependency/main.js', `export const what = 'after';`],
    [
      'the manifest of one',
      'node_modules/dependency/package.json',
      '{"type":"module","exports":"./other.js"}',
    ],
    [
      'another package that is nearer',
      'nearer/node_modules/dependency/index.js',
      `export const what = 'after';`,
    ],
  ])('has children that load %s as it is when they are made', async (_, changed, text) => {
    write('node_modules/dependency/package.json', '{"type":"module","exports":"./main.js"}');
    write('node_modules/dependency/main.js', `export const what = 'before';`);
    write('node_modules/dependency/other.js', `export const what = 'after';`);
    write('nearer/part.js', `export { what } from 'dependency';`);
    write('part.js', `export const is = 'before';`);
    const task = write(
      'task.js',
      `import { is } from './part.js'; import { what } from 'dependency'; import { what as near } from './nearer/part.js';
      export const f = () => ({ is: [is, what, near].includes('after') ? 'after' : 'before', ppid: process.ppid });`,
    );
    await settled();
    const before = await runAll(pool, task, 3);
    expect(of(before, 'is')).toEqual(['before']);
    expect(of(before, 'ppid')).toHaveLength(1);
    if (changed.startsWith('nearer')) {
      write('nearer/node_modules/dependency/package.json', '{"type":"module","exports":"./index.js"}');
    }
    write(changed, text);
    // The one or two that were ready already have loaded what was there then.
    const after = (await runAll(pool, task, 6)).slice(2);
    expect(of(after, 'is')).toEqual(['after']);
    // This is how it is seen that they were linked: another server had to take its place.
    expect(of(after, 'ppid')).not.toEqual(of(before, 'ppid'));
    expect(pool.pool.stats().starts).toEqual({ spawned: 0, forked: expect.any(Number) });
  });

  test('has children that load the module that a link leads to when they are made', async () => {
    write('one/task.js', 'export const f = () => 1;');
    write('two/task.js', 'export const f = () => 2;');
    const link = join(folder, 'current');
    symlinkSync('one', link);
    await settled();
    expect(await runAll(pool, join(link, 'task.js'), 3)).toEqual([1, 1, 1]);
    rmSync(link);
    symlinkSync('two', link);
    expect((await runAll(pool, join(link, 'task.js'), 5)).slice(2)).toEqual([2, 2, 2]);
  });

  test.each([
    ['cannot be parsed', 'export const f = ;'],
    ['imports what is not there', `import './missing.js'; export const f = () => 1;`],
    [
      'imports a name that is not there',
      `import { nothing } from './part.js'; export const f = () => nothing;`,
    ],
    ['throws', `throw new TypeError('as it wants');`],
  ])(
    'has children that fail as spawned ones do where a module %s, and no more once it is mended',
    async (_, text) => {
      write('part.js', 'export const something = 1;');
      const task = write('task.js', text);
      await settled();
      const other = new TestPool(1);
      const [kind, detail] = await runAll(other, task, 1, { startChildren: 'spawn' });
      await other.pool.terminate();
      expect(kind).toBe('taskFailed');
      expect(await runAll(pool, task, 1)).toEqual([kind, detail]);
      expect(await runAll(pool, task, 1)).toEqual([kind, detail]);
      write('task.js', 'export const f = () => 7;');
      // Whoever could not load it does not try it again.
      const runInOthers = async (): Promise<readonly unknown[]> => {
        for (const { pid } of pool.pool.stats().processes)
          if (pid !== undefined) process.kill(pid, 'SIGKILL');
        return runAll(pool, task, 3);
      };
      await eventually('it is mended', runInOthers, (values) => isDeepStrictEqual(values, [7, 7, 7]));
      expect(pool.pool.stats().starts).toEqual({ spawned: 0, forked: expect.any(Number) });
    },
  );

  test.each<[string, string, string, Partial<ChildSetup>]>([
    ['CommonJS', 'task.cjs', 'exports.f = () => process.ppid;', {}],
    [
      'CommonJS that a module imports',
      'task.js',
      `import part from './part.cjs'; export const f = () => part();`,
      {},
    ],
    ['TypeScript', 'task.ts', 'export const f = (x: number): number => process.ppid;', {}],
    [
      'what a module of --import resolves in its own way',
      'task.js',
      `import { own } from 'own:way'; export const f = () => own();`,
      {
        execArgv: [
          '--import',
          `data:text/javascript,${encodeURIComponent(`import { registerHooks } from 'node:module';
          registerHooks({
            resolve: (name, context, next) =>
              name === 'own:way' ? { url: name, shortCircuit: true } : next(name, context),
            load: (url, context, next) => url === 'own:way'
              ? { format: 'module', source: 'export const own = () => process.ppid', shortCircuit: true }
              : next(url, context),
          });`)}`,
        ],
      },
    ],
  ])('has children that load %s themselves, and forks them all the same', async (_, name, text, setup) => {
    write('part.cjs', 'module.exports = () => process.ppid;');
    const task = write(name, text);
    await settled();
    const servers = new Set(await runAll(pool, task, 3, setup));
    expect(servers.size).toBe(1);
    expect([...servers][0]).toEqual(expect.any(Number));
    // Nothing is watched.
    appendFileSync(task, '\n');
    expect(new Set(await runAll(pool, task, 3, setup))).toEqual(servers);
    expect(pool.pool.stats().starts).toEqual({ spawned: 0, forked: expect.any(Number) });
  });

  test('links nothing more for a module that changes again and again', async () => {
    const task = write('task.js', 'export const f = () => process.ppid;');
    const servers: unknown[] = [];
    for (let round = 0; round < 9; round++) {
      await settled();
      servers.push((await runAll(pool, task, 4)).at(-1));
      appendFileSync(task, '\n');
    }
    // Six were outdated, and the next one serves on.
    expect(new Set(servers).size).toBe(7);
    expect(new Set(servers.slice(-3)).size).toBe(1);
    expect(pool.pool.stats().starts).toEqual({ spawned: 0, forked: expect.any(Number) });
  });

  test('that has served another task for long gives way to one that has linked both', async () => {
    const one = write('one.js', 'export const f = () => process.ppid;');
    const two = write('two.js', 'export const f = () => process.ppid;');
    await settled();
    const [first] = await runAll(pool, one, 3);
    const last = await eventually(
      'it has given way',
      async () => (await runAll(pool, two, 20)).at(-1),
      (server) => server !== first,
    );
    expect((await runAll(pool, one, 3)).at(-1)).toBe(last);
    write('two.js', 'export const f = () => -process.ppid;');
    expect((await runAll(pool, two, 5)).at(-1)).toBeLessThan(0);
    expect(pool.pool.stats().starts).toEqual({ spawned: 0, forked: expect.any(Number) });
  });
});
