import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ItemError } from '@shoal/errors';
import { describe, expect, test } from 'vitest';
import { type RequestOptions, setupOf, TestPool, until } from '../child-pool/child-pool.testkit.ts';
import type { ChildSetup, TaskRef } from '../child-pool/chunk-request.ts';
import { Pool } from '../pool.ts';
import { ForkLauncher } from './fork.ts';
import { forkAddon } from './fork-addon.ts';
import { realClock } from './fork-server.ts';

const { why } = forkAddon();

function taskOf(file: string, name: string): TaskRef {
  const { href: url } = new URL(`../fixtures/${file}.ts`, import.meta.url);
  return { kind: 'export', name, url, export: name };
}

/** A pool whose children are forked, with a task of fork-tasks.ts. */
class Forking {
  readonly #setup: ChildSetup;
  readonly test: TestPool;

  constructor(processes: number, setup: Partial<ChildSetup> = {}) {
    this.test = new TestPool(processes);
    this.#setup = setupOf({ startChildren: 'fork', stdio: 'ignore', ...setup });
  }

  run(
    task: string | TaskRef,
    items: readonly unknown[],
    options: RequestOptions = {},
  ): ReturnType<TestPool['run']> {
    const ref = typeof task === 'string' ? taskOf('fork-tasks', task) : task;
    return this.test.run(ref, items, { setup: this.#setup, ...options });
  }

  get starts(): ReturnType<TestPool['pool']['stats']>['starts'] {
    return this.test.pool.stats().starts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.test.pool.terminate();
  }
}

/** Options for Node that run this in each process before anything else. */
const importing = (script: string): string[] => [
  '--import',
  `data:text/javascript,${encodeURIComponent(script)}`,
];

const children = (count: number): undefined[] => Array<undefined>(count).fill(undefined);

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Zombies among the children of a process. */
function zombiesOf(pid: number): number {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((child) => child !== '' && !isAlive(Number(child))).length;
}

const descriptorsOf = (pid: number | 'self'): string[] =>
  readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/\d+/g, '')];
    } catch {
      return [];
    }
  });

describe.skipIf(why !== undefined)('a pool that forks', () => {
  test.each([
    ['cold', false],
    ['warm', true],
  ])(
    'gives each of 500 children numbers, names and chance of its own, and leaves nothing of them behind (%s)',
    async (_, preload) => {
      const folder = mkdtempSync(join(tmpdir(), 'shoal-fork-'));
      await using pool = new Forking(2, { preload, env: { ...setupOf().env, SHOAL_FORK_FOLDER: folder } });
      const [server] = [...(await pool.run('server', [1])).values.values()].map(Number) as [number];
      const before = descriptorsOf('self').length;
      const serverBefore = descriptorsOf(server).length;
      const chunks = Array.from({ length: 50 }, (_, i) =>
        pool.run('identity', children(10), { first: 10 * i, maxTasksPerChild: 1 }),
      );
      const identities = (await Promise.all(chunks)).flatMap(({ values }) => [...values.values()]) as Record<
        string,
        unknown
      >[];
      for (const name of Object.keys(identities[0] ?? {})) {
        expect(new Set(identities.map((each) => each[name])).size, name).toBe(500);
      }
      expect(identities.every(({ pid, kernelPid }) => pid === kernelPid)).toBe(true);
      expect(pool.starts).toMatchObject({ spawned: 0 });
      expect(pool.starts.notForked).toBeUndefined();
      await until('the server has no zombie', () => zombiesOf(server) === 0 || zombiesOf(server));
      // Two children with three sockets each, and their successors. Whoever is being started or ended has some more.
      const more = (): [here: number, there: number] => [
        descriptorsOf('self').length - before,
        descriptorsOf(server).length - serverBefore,
      ];
      await until('no descriptor is left', () => (more()[0] <= 12 && more()[1] <= 0) || more());
      rmSync(folder, { recursive: true });
    },
    // A second on a machine with nothing else to do.
    300_000,
  );

  test('goes on without losing or blaming an item when its server is killed, with another server', async () => {
    await using pool = new Pool({ processes: 2, startChildren: 'fork', stdio: 'ignore' });
    const tasks = (file: string): URL => new URL((taskOf(file, '') as { readonly url: string }).url);
    const serverOf = async (): Promise<number> =>
      Number(await pool.apply(tasks('fork-tasks'), [], { export: 'server' }));
    const first = await serverOf();
    const busy = pool.map(tasks('child-tasks'), [400, 400, 400], { export: 'busyMs', chunkSize: 1 });
    await until('it is busy', () => pool.stats().processes.some(({ state }) => state === 'busy'));
    const pids = pool.stats().processes.map(({ pid }) => pid);
    process.kill(first, 'SIGKILL');
    await until('its children are gone', () => !pids.some(isAlive), 2_000);
    expect(await busy).toHaveLength(3);
    expect(pool.stats().deaths).toBe(0);
    const second = await serverOf();
    expect(isAlive(second)).toBe(true);
    expect(second).not.toBe(first);
  });

  test('blames an item that takes one server after another with it, and nobody beside it, and forks on', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-fork-'));
    await using pool = new Pool({ processes: 2, startChildren: 'fork', stdio: 'ignore' });
    const { url } = taskOf('fork-tasks', 'killServerOrWait') as { readonly url: string };
    const items = [{ folder, kills: true }, ...Array.from({ length: 3 }, () => ({ folder, kills: false }))];
    const outcomes = await pool.mapSettled(new URL(url), items, { export: 'killServerOrWait', chunkSize: 1 });
    expect(outcomes.slice(1)).toEqual(
      [1, 2, 3].map((index) => expect.objectContaining({ index, value: 'waited' })),
    );
    const { error } = outcomes[0] as { readonly error?: ItemError };
    const attempt = { signal: 'SIGKILL', withItsServer: true };
    expect(error).toMatchObject({ code: 'ITEM_KILLED_CHILD', attempts: Array(4).fill(attempt) });
    expect(error?.message).toMatch(/^Item 0 killed its process 4 times \(SIGKILL with its fork server; pid /);
    // It ran as often as the error says.
    expect(readdirSync(folder).filter((name) => name.startsWith('kills-'))).toHaveLength(4);
    expect(pool.stats().starts).toEqual({ spawned: 0, forked: expect.any(Number) });
    rmSync(folder, { recursive: true });
  });

  test('does not run an item again that must not be lost, when its server has died', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-fork-'));
    await using pool = new Pool({ processes: 1, startChildren: 'fork', stdio: 'ignore' });
    const { url } = taskOf('fork-tasks', 'killServerOrWait') as { readonly url: string };
    const options = { export: 'killServerOrWait', retries: { lost: 0 } };
    const [outcome] = await pool.mapSettled(new URL(url), [{ folder, kills: true }], options);
    expect(outcome).toMatchObject({ status: 'rejected', error: { code: 'ITEM_LOST' } });
    expect(readdirSync(folder)).toHaveLength(1);
    rmSync(folder, { recursive: true });
  });

  test('spawns its children once their servers have been killed too often, and says why', async () => {
    await using pool = new Forking(1);
    for (let i = 0; i < 6; i++) {
      const [server] = [...(await pool.run('server', [1])).values.values()].map(Number) as [number];
      expect(server, JSON.stringify(pool.starts)).not.toBe(process.pid);
      process.kill(server, 'SIGKILL');
      await until('it is gone', () => !isAlive(server));
      await until('its child too', () => pool.test.pool.stats().processes.every(({ pid }) => isAlive(pid)));
    }
    const [parent] = [...(await pool.run('server', [1])).values.values()];
    expect(parent).toBe(process.pid);
    expect(pool.starts.notForked).toBe('it ended by SIGKILL');
  });

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

  test('gives children that come later the umask that it has itself by then', async () => {
    await using pool = new Forking(1);
    const masks = async (): Promise<unknown[]> => [
      ...(await pool.run('umask', [1], { maxTasksPerChild: 1 })).values.values(),
    ];
    const before = process.umask(0o022);
    try {
      await pool.run('umask', [1], { maxTasksPerChild: 1 });
      expect(await masks()).toEqual(['0022']);
      process.umask(0o077);
      // One waits already.
      await masks();
      expect(await masks()).toEqual(['0077']);
      expect(pool.starts).toMatchObject({ spawned: 0 });
    } finally {
      process.umask(before);
    }
  });

  test('starts children that come later in the folder that it is in itself by then', async () => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'shoal-fork-')));
    await using pool = new Forking(1);
    const folders = async (): Promise<unknown[]> => [
      ...(await pool.run('folder', [1], { maxTasksPerChild: 1 })).values.values(),
    ];
    const before = process.cwd();
    expect(await folders()).toEqual([before]);
    try {
      process.chdir(folder);
      // One waits already.
      await folders();
      expect(await folders()).toEqual([folder]);
      expect(pool.starts).toMatchObject({ spawned: 0 });
    } finally {
      process.chdir(before);
    }
    rmSync(folder, { recursive: true });
  });

  test('replaces a server that is stopped, and loses nothing by it', async () => {
    await using pool = new Forking(1);
    const [server] = [...(await pool.run('server', [1])).values.values()].map(Number) as [number];
    process.kill(server, 'SIGSTOP');
    const { ending, values } = await pool.run('server', [1, 2], { maxTasksPerChild: 1 });
    expect({ kind: ending.kind, values: values.size }).toEqual({ kind: 'finished', values: 2 });
    expect([...values.values()]).not.toContain(server);
    expect(isAlive(server)).toBe(false);
  });

  test('is closed when its children are gone, however long they take to die', async () => {
    const pool = new Forking(1);
    const { pids } = await pool.run('holdMemory', [256]);
    await pool.test.pool.terminate();
    expect([...pids.values()].filter(isAlive)).toEqual([]);
    expect(pids.size).toBe(1);
  });

  test('waits for no answer of a stopped server when its pool is terminated', async () => {
    const pool = new Forking(2);
    const [server] = [...(await pool.run('server', [1])).values.values()].map(Number) as [number];
    process.kill(server, 'SIGSTOP');
    // No child is made for it any more.
    const running = pool.run('server', [1, 2], { maxTasksPerChild: 1 });
    const from = performance.now();
    await pool.test.pool.terminate();
    // Half of what an answer may take.
    expect(performance.now() - from).toBeLessThan(5_000);
    expect(isAlive(server)).toBe(false);
    await running;
  });

  test('gives threads of its children chance of their own', async () => {
    await using pool = new Forking(1);
    const { values } = await pool.run('chances', [1, 2], { maxTasksPerChild: 1 });
    const drawn = [...values.values()].flat();
    expect(drawn).toHaveLength(4);
    expect(new Set(drawn).size).toBe(4);
  });

  const drawsInteger = importing('import { randomInt } from "node:crypto"; randomInt(2)');
  test.each<[string, string, Partial<ChildSetup>]>([
    ['an integer', 'integer', { execArgv: drawsInteger }],
    ['a number', 'random', { execArgv: importing('Math.random()') }],
    [
      'an integer (by NODE_OPTIONS, in quotes)',
      'integer',
      { env: { ...setupOf().env, NODE_OPTIONS: `"${drawsInteger.join('=')}"` } },
    ],
  ])(
    'gives each child chance of its own, although a module of --import has drawn %s',
    async (_, name, setup) => {
      const folder = mkdtempSync(join(tmpdir(), 'shoal-fork-'));
      const env = { ...(setup.env ?? setupOf().env), SHOAL_FORK_FOLDER: folder };
      await using pool = new Forking(1, { ...setup, env });
      const { values } = await pool.run('identity', [1, 2], { maxTasksPerChild: 1 });
      const [one, other] = [...values.values()].map((value) => (value as Record<string, unknown>)[name]);
      expect(pool.starts).toMatchObject({ spawned: 0 });
      expect([one, other]).toEqual([expect.any(Number), expect.any(Number)]);
      expect(one).not.toBe(other);
      rmSync(folder, { recursive: true });
    },
  );

  test('lets a module of --import decide what Math.random draws, as in a spawned child', async () => {
    const draw = 'let at = 0; Math.random = () => (at += 0.125)';
    await using pool = new Forking(1, { execArgv: importing(draw) });
    const { values } = await pool.run('draw', [1, 2], { maxTasksPerChild: 1 });
    expect(pool.starts).toEqual({ spawned: 0, forked: expect.any(Number) });
    // The second one: the module of the task has drawn while it was loaded.
    expect([...values.values()]).toEqual([0.25, 0.25]);
  });

  test.each([
    ['--random-seed', { execArgv: ['--random-seed=5'] }],
    ['--trace-exit', { execArgv: ['--trace-exit'] }],
    ['--report-uncaught-exception', { execArgv: ['--report-uncaught-exception'] }],
    ['--report-on-signal', { env: { ...setupOf().env, NODE_OPTIONS: '--report-on-signal' } }],
    ['NODE_V8_COVERAGE', { env: { ...setupOf().env, NODE_V8_COVERAGE: tmpdir() } }],
  ])('spawns children that are to have %s, and says why', async (name, setup) => {
    await using pool = new Forking(1, setup);
    expect((await pool.run('server', [1])).ending.kind).toBe('finished');
    expect(pool.starts).toMatchObject({ forked: 0, notForked: expect.stringContaining(name) });
  });

  test.each([
    ['fail', 'WebAssembly.compile = () => process.exit(3)', 'a copy of it failed (exit code 3)'],
    ['are alike', 'crypto.randomUUID = () => "mine"', 'copies of it have the same uuid'],
  ])('spawns its children where the trial copies of a server %s, and says why', async (_, script, why) => {
    await using pool = new Forking(1, { execArgv: importing(script) });
    const { ending, values } = await pool.run('server', [1, 2], { maxTasksPerChild: 1 });
    expect(ending.kind).toBe('finished');
    expect([...values.values()]).toEqual([process.pid, process.pid]);
    expect(pool.starts).toEqual({ spawned: expect.any(Number), forked: 0, notForked: why });
  });

  test('spawns its children where the trial copies of a server hang, once 30 s are over, and says why', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-fork-'));
    const hang = `WebAssembly.compile = () => {
      process.getBuiltinModule("fs").writeFileSync(${JSON.stringify(folder)} + "/" + process.pid, "");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    }`;
    const late: (() => void)[] = [];
    const clock = {
      ...realClock,
      after(ms: number, callback: () => void): () => void {
        expect(ms).toBe(30_000);
        late.push(callback);
        return () => {};
      },
    };
    const p = new TestPool(1, { launcher: new ForkLauncher(forkAddon(), clock) });
    const setup = setupOf({ startChildren: 'fork', stdio: 'ignore', execArgv: importing(hang) });
    const run = p.run(taskOf('fork-tasks', 'server'), [1], { setup });
    await until('its trials hang', () => readdirSync(folder).length === 2 || readdirSync(folder));
    const trials = readdirSync(folder).map(Number);
    expect(late).toHaveLength(1);
    late[0]?.();
    expect([...(await run).values.values()]).toEqual([process.pid]);
    expect(p.pool.stats().starts).toEqual({ spawned: 1, forked: 0, notForked: 'it was not ready in time' });
    await until('its trials are gone', () => !trials.some(isAlive));
    await p.pool.terminate();
    rmSync(folder, { recursive: true });
  });

  test('ends its servers with itself', async () => {
    const pool = new Forking(1);
    const [server] = [...(await pool.run('server', [1])).values.values()].map(Number) as [number];
    expect(isAlive(server)).toBe(true);
    await pool.test.pool.terminate();
    expect(isAlive(server)).toBe(false);
  });

  test('forks nothing for Node with an option that forbids it, and says why', async () => {
    await using pool = new Forking(1, {
      execArgv: ['--permission', '--allow-fs-read=*', '--allow-fs-write=*'],
    });
    const { ending } = await pool.run('server', [1]);
    expect(ending.kind).toBe('finished');
    expect(pool.starts).toMatchObject({
      forked: 0,
      notForked: expect.stringMatching(/^it ended by exit code 1/),
    });
  });
});

test.runIf(process.env['REQUIRE_FORK_SERVER'] === '1')('the addon is there where it is demanded', () => {
  expect(why).toBeUndefined();
});

test('where there is no addon children are spawned, and the reason is told', async () => {
  const launcher = new ForkLauncher({ why: 'it was not built' });
  const p = new TestPool(1, { launcher });
  const { ending } = await p.run('addOne', [1], { setup: setupOf({ startChildren: 'fork' }) });
  expect(ending.kind).toBe('finished');
  expect(p.pool.stats().starts).toEqual({ spawned: 1, forked: 0, notForked: 'it was not built' });
  await p.pool.terminate();
});

test('who says nothing forks nothing, however short children live', async () => {
  const p = new TestPool(2);
  const setup = setupOf({ stdio: 'ignore' });
  for (let i = 0; i < 5; i++) await p.run('addOne', [1, 2, 3, 4], { setup, maxTasksPerChild: 1 });
  expect(p.pool.stats().starts).toEqual({ spawned: expect.any(Number), forked: 0 });
  expect(p.pool.stats().starts.spawned).toBeGreaterThanOrEqual(16);
  await p.pool.terminate();
});

test.skipIf(why !== undefined)(
  'with auto, a pool forks once its children were seen to live short',
  async () => {
    const p = new TestPool(2);
    const setup = setupOf({ startChildren: 'auto', stdio: 'ignore' });
    for (let i = 0; i < 100 && p.pool.stats().starts.forked === 0; i++) {
      await p.run('addOne', [1, 2, 3, 4], { setup, maxTasksPerChild: 1 });
    }
    const { forked, notForked, spawned } = p.pool.stats().starts;
    expect(forked).toBeGreaterThan(0);
    expect(spawned).toBeGreaterThanOrEqual(4);
    expect(notForked).toBe('its fork server was not ready yet');
    await p.pool.terminate();
  },
);
