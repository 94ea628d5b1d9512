/** Where children cannot be forked, or nobody asked for it, they are spawned, and the reason is told. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isAlive } from '../../../../test/process-life.ts';
import { setupOf, TestPool, until } from '../child-pool/child-pool.testkit.ts';
import { Pool } from '../pool.ts';
import { ForkLauncher } from './fork.ts';
import { forkAddon } from './fork-addon.ts';
import { realClock } from './fork-server.ts';
import { Forking, importing, taskOf } from './forking.testkit.ts';

const { why } = forkAddon();

describe.skipIf(why !== undefined)('a pool that forks', () => {
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

test.skipIf(why !== undefined)('with auto, a pool whose children live long never forks', async () => {
  await using pool = new Pool({
    processes: 4,
    startChildren: 'auto',
    maxTasksPerChild: 1,
    // A successor waits, started, while its predecessor runs: how long it took is noted before.
    initializer: () => {
      Object.assign(globalThis, { startMs: 1_000 * process.uptime() });
    },
    execArgv: [],
    stdio: 'ignore',
  });
  // Each lives sixteen times as long as it took to start, however busy the machine is.
  const parents = await pool.map(
    async () => {
      const { startMs } = globalThis as unknown as { readonly startMs: number };
      await new Promise((resolve) => setTimeout(resolve, 16 * startMs));
      return process.ppid;
    },
    new Array<number>(24).fill(0),
    { chunkSize: 1 },
  );
  expect(new Set(parents)).toEqual(new Set([process.pid]));
  const { spawned, ...others } = pool.stats().starts;
  expect(others).toEqual({ forked: 0 });
  expect(spawned).toBeGreaterThanOrEqual(24);
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
