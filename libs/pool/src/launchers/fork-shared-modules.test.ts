/** Modules that a fork server loads for all its children. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { setupOf, TestPool, until } from '../child-pool/child-pool.testkit.ts';
import type { TaskRef } from '../child-pool/chunk-request.ts';
import { ForkLauncher } from './fork.ts';
import { forkAddon } from './fork-addon.ts';
import { realClock } from './fork-server.ts';
import { children, Forking, taskOf } from './forking.testkit.ts';

const { why } = forkAddon();

describe.skipIf(why !== undefined)('a pool that forks', () => {
  test('loads a module once for all children that share it, and once in each that does not', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-fork-'));
    for (const preload of [true, false]) {
      const env = { ...setupOf().env, SHOAL_FORK_BOOK: join(folder, String(preload)) };
      await using pool = new Forking(1, { preload, env });
      await pool.run('loadedBy', children(3), { maxTasksPerChild: 1 });
      const lines = readFileSync(env.SHOAL_FORK_BOOK, 'utf8').trim().split('\n');
      // Without, a successor that waits may have loaded it too.
      if (preload) expect(lines).toHaveLength(1);
      else expect(lines.length).toBeGreaterThanOrEqual(3);
    }
    rmSync(folder, { recursive: true });
  });

  test.each([
    ['timer', 'something that it waits for (Timeout)'],
    ['quiet-timer', 'a timer'],
    ['socket', 'an open socket'],
    ['child', 'a child process'],
    ['thread', 'a thread'],
    ['file', 'an open file (/etc/passwd)'],
  ])('shares no module that leaves a %s behind, and says so', async (file, what) => {
    await using pool = new Forking(1, { preload: true });
    const { ending, pids } = await pool.run(taskOf(`residues/${file}`, 'pid'), [1]);
    expect({ kind: ending.kind, pids: pids.size }).toEqual({ kind: 'finished', pids: 1 });
    expect(pool.starts.forked).toBeGreaterThan(0);
    expect(pool.starts.notForked).toMatch(/^loading left .+ behind.*\(so nothing is preloaded\)$/);
    // What is found first of several differs: a child has pipes, which are sockets.
    if (file !== 'child') expect(pool.starts.notForked).toContain(what);
  });

  test('says the error of a module that cannot be preloaded', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-fork-'));
    const file = join(folder, 'throws.mjs');
    writeFileSync(file, 'throw new Error("bad load")');
    await using pool = new Forking(1, { preload: true });
    const { href: url } = pathToFileURL(file);
    const { ending } = await pool.run({ kind: 'export', name: 'f', url, export: 'default' }, [1]);
    expect(ending.kind).toBe('taskFailed');
    expect(pool.starts.notForked).toMatch(
      /throws\.mjs cannot be loaded: Error: bad load \(so nothing is preloaded\)$/,
    );
    rmSync(folder, { recursive: true });
  });

  test('says of a module that is never loaded what it waits for', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-fork-'));
    const file = join(folder, 'waits.mjs');
    writeFileSync(file, 'await new Promise(() => {});');
    await using pool = new Forking(1, { preload: true });
    const { href: url } = pathToFileURL(file);
    void pool.run({ kind: 'export', name: 'f', url, export: 'default' }, [1]);
    const reason = `an await at the top of ${url} never ends (so nothing is preloaded)`;
    await until('the reason', () => pool.starts.notForked === reason || pool.starts.notForked);
    rmSync(folder, { recursive: true });
  });

  test('says of a module that ends the process with that code what it did', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-fork-'));
    const file = join(folder, 'exits.mjs');
    writeFileSync(file, 'process.exit(13);');
    await using pool = new Forking(1, { preload: true });
    const { href: url } = pathToFileURL(file);
    void pool.run({ kind: 'export', name: 'f', url, export: 'default' }, [1]);
    const reason = 'it ended by exit code 13 (so nothing is preloaded)';
    await until('the reason', () => pool.starts.notForked === reason || pool.starts.notForked);
    rmSync(folder, { recursive: true });
  });

  test('says of a module that ends the process by an error which, and not with what Node ends its report', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-fork-'));
    const file = join(folder, 'rejects.mjs');
    writeFileSync(file, 'void Promise.reject(new TypeError("stray")); await new Promise(() => {});');
    await using pool = new Forking(1, { preload: true });
    const { href: url } = pathToFileURL(file);
    void pool.run({ kind: 'export', name: 'f', url, export: 'default' }, [1]);
    const reason = 'it ended by exit code 1: TypeError: stray (so nothing is preloaded)';
    await until('the reason', () => pool.starts.notForked === reason || pool.starts.notForked);
    rmSync(folder, { recursive: true });
  });

  test('shares a module that left something behind by bad luck, once that was long enough ago', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-fork-'));
    let nowMs = 0;
    const env = { ...setupOf().env, SHOAL_FORK_BOOK: join(folder, 'loaded') };
    const pool = new TestPool(1, {
      launcher: new ForkLauncher(forkAddon(), { ...realClock, nowMs: () => nowMs }),
    });
    const setup = setupOf({ startChildren: 'fork', stdio: 'ignore', preload: true, env });
    const loaders = async (): Promise<number[]> => {
      const task = taskOf('residues/first-timer', 'loadedBy');
      const { values } = await pool.run(task, [1, 2], { setup, maxTasksPerChild: 1 });
      return [...values.values()].map(Number);
    };
    const [first, second] = await loaders();
    expect(first).not.toBe(second);
    expect(pool.pool.stats().starts.notForked).toMatch(/\(so nothing is preloaded\)$/);
    nowMs = 10_000;
    // The server is there when it is; until then nothing is shared.
    let isShared = false;
    for (let tries = 0; tries < 200 && !isShared; tries++) {
      const [one, other] = await loaders();
      isShared = one === other;
    }
    expect(isShared, JSON.stringify(pool.pool.stats().starts)).toBe(true);
    expect(pool.pool.stats().starts.notForked).toBeUndefined();
    await pool.pool.terminate();
    rmSync(folder, { recursive: true });
  });

  test('does not do in trials what a shared module has put down for the end of its process', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-fork-'));
    const file = join(folder, 'ends.mjs');
    const ends = join(folder, 'ends');
    writeFileSync(
      file,
      `process.on('exit', () => {
        process.getBuiltinModule('fs').appendFileSync(${JSON.stringify(ends)}, process.pid + '\\n');
        throw new Error('at the end');
      });
      export default () => process.pid;`,
    );
    await using pool = new Forking(1, { preload: true });
    const { href: url } = pathToFileURL(file);
    const ref = { kind: 'export', name: 'f', url, export: 'default' } as const;
    expect((await pool.run(ref, [1])).values.size).toBe(1);
    // Its child is killed, and ends nothing either.
    await pool.test.pool.terminate();
    expect(existsSync(ends)).toBe(false);
    expect(pool.starts).toEqual({ spawned: 0, forked: expect.any(Number) });
    rmSync(folder, { recursive: true });
  });

  test('lets the first child say what a shared module has printed, and no other', async () => {
    await using pool = new Forking(1, { preload: true, stdio: 'forward' });
    await pool.run(taskOf('early-prints', 'pid'), [1, 2, 3], { maxTasksPerChild: 1 });
    expect(pool.starts).toEqual({ spawned: 0, forked: expect.any(Number) });
    const { prints } = pool.test;
    expect(prints.map(({ stream, text }) => ({ stream, text }))).toEqual([
      { stream: 'stdout', text: 'loaded' },
      { stream: 'stderr', text: 'complained' },
    ]);
  });

  test('says how much of what a shared module has printed was too much', async () => {
    await using pool = new Forking(1, { preload: true, stdio: 'forward' });
    await pool.run(taskOf('loud-at-load', 'pid'), [1]);
    expect(pool.test.prints.map(({ stream, text }) => [stream, text.replace(/^x+/, 'x')])).toEqual([
      ['stdout', 'x'],
      ['stderr', '… 1,000 more characters were dropped: preloaded modules may print 65,536'],
    ]);
  });

  test('shares a module that we had to compile, also where no cache is, and leaves it what it has put in place', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-fork-'));
    const file = join(folder, 'colors.ts');
    const source = 'enum Color { red = 5 }\nMath.random = () => 0.25;\n';
    writeFileSync(file, `${source}export const look = () => [process.pid, Color.red, Math.random()];\n`);
    const env = { ...setupOf().env, NODE_DISABLE_COMPILE_CACHE: '1' };
    await using pool = new Forking(1, { preload: true, env });
    const task: TaskRef = { kind: 'export', name: 'look', url: pathToFileURL(file).href, export: 'look' };
    const { values } = await pool.run(task, [1, 2], { maxTasksPerChild: 1 });
    expect(pool.starts).toEqual({ spawned: 0, forked: expect.any(Number) });
    expect([...values.values()].map((value) => (value as number[]).slice(1))).toEqual([
      [5, 0.25],
      [5, 0.25],
    ]);
    rmSync(folder, { recursive: true });
  });
});
