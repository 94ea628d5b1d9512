/** Fork servers that are ended, asked or given up, and their children: what is left of them, and for how long. */
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { setupOf, TestPool, until } from '../child-pool/child-pool.testkit.ts';
import type { TaskRef } from '../child-pool/chunk-request.ts';
import type { ChildExit } from '../core/chunk.ts';
import { ForkLauncher } from './fork.ts';
import { forkAddon } from './fork-addon.ts';
import { realClock, type ServerClock } from './fork-server.ts';
import type { LaunchRequest } from './launcher.ts';

const { why } = forkAddon();
const { href: url } = new URL('../fixtures/fork-tasks.ts', import.meta.url);
const task = (name: string): TaskRef => ({ kind: 'export', name, url, export: name });

/** Options for Node that run this in each process before anything else. */
const importing = (script: string): string[] => [
  '--import',
  `data:text/javascript,${encodeURIComponent(script)}`,
];

/** Time goes by as fast as that for servers, so that nobody has to wait for it. */
const hurried = (factor: number): ServerClock => ({
  nowMs: () => factor * realClock.nowMs(),
  after: (ms, late) => realClock.after(ms / factor, late),
});

/** Nothing else of this process has a turn. */
const standStill = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
};

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

const stateOf = (pid: number): string => /^State:\s+(\w)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 'gone';
/** One that is dying still is. */
const isAlive = (pid: number): boolean => !['Z', 'X', 'gone'].includes(stateOf(pid));

/** The processes whose environment has this in it, whoever knows of them. */
const marked = (mark: string): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && read(`/proc/${pid}/environ`).includes(mark) && isAlive(pid));

/** A launcher with a server that waits for orders, and who is started by it: what has this mark. */
async function readyLauncher(execArgv: readonly string[] = []): Promise<{
  readonly launcher: ForkLauncher;
  readonly request: LaunchRequest;
  readonly mark: string;
  readonly server: number;
}> {
  const mark = randomUUID();
  const launcher = new ForkLauncher();
  const { env, key } = setupOf({ env: { ...setupOf().env, SHOAL_TEST_MARK: mark } });
  const request: LaunchRequest = {
    key,
    env,
    execArgv,
    startChildren: 'fork',
    modules: [],
    preload: false,
    readsStdout: false,
  };
  await until('its server is ready', () => launcher.isReadyFor(request) || launcher.counts());
  const [server] = marked(mark) as [number];
  return { launcher, request, mark, server };
}

/** Its copies take a while to die. */
const heavy = importing('globalThis.held = Buffer.alloc(512 * 2 ** 20, 1)');

describe.skipIf(why !== undefined)('a fork server', () => {
  test('is ended after a child that nobody was told of: nothing of it is left', async () => {
    const { launcher, request, mark } = await readyLauncher(heavy);
    const exits: unknown[] = [];
    for (let i = 0; i < 3; i++) launcher.launch(request, (exit) => exits.push(exit));
    // They are made, and what their server says of it is not read.
    standStill(500);
    const pids = marked(mark);
    expect(pids).toHaveLength(4);
    launcher.endAll();
    expect(exits).toHaveLength(3);
    await launcher.close();
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test('is ended with a child that nobody was told of, although it was stopped, within seconds', async () => {
    const { launcher, request, mark, server } = await readyLauncher(heavy);
    launcher.launch(request, () => {});
    standStill(500);
    process.kill(server, 'SIGSTOP');
    const pids = marked(mark);
    expect(pids).toHaveLength(2);
    const from = performance.now();
    await launcher.close();
    expect(pids.filter(isAlive)).toEqual([]);
    // Half of what an answer may take.
    expect(performance.now() - from).toBeLessThan(5_000);
  });

  test('that is killed before it is ready is tried again at once, and the reason is told', async () => {
    const mark = randomUUID();
    // Time stands still: what is refused for a while is refused for ever.
    const launcher = new ForkLauncher(forkAddon(), { ...realClock, nowMs: () => 0 });
    const { env, key } = setupOf({ env: { ...setupOf().env, SHOAL_TEST_MARK: mark } });
    const request: LaunchRequest = {
      key,
      env,
      execArgv: [],
      startChildren: 'fork',
      modules: [],
      preload: false,
      readsStdout: false,
    };
    expect(launcher.isReadyFor(request)).toBe(false);
    const [server] = marked(mark) as [number];
    process.kill(server, 'SIGKILL');
    await until(
      'it is known',
      () => launcher.counts().notForked === 'it ended by SIGKILL' || launcher.counts(),
    );
    await until('another one is ready', () => launcher.isReadyFor(request) || launcher.counts());
    expect(marked(mark)).not.toContain(server);
    expect(launcher.counts().notForked).toBeUndefined();
    await launcher.close();
  });

  test('that dies gives nobody else the descriptors of the child that it may have made last', async () => {
    const { launcher, request, server } = await readyLauncher();
    process.kill(server, 'SIGSTOP');
    const exits: (readonly [name: string, exit: ChildExit])[] = [];
    launcher.launch(request, (exit) => exits.push(['first', exit]));
    const second = launcher.launch(request, (exit) => exits.push(['second', exit]));
    process.kill(server, 'SIGKILL');
    await until('the second one is made by another server', () => second.pid !== undefined);
    expect(exits).toEqual([['first', { signal: 'SIGKILL', withItsServer: true }]]);
    expect(launcher.counts()).toEqual({ spawned: 0, forked: 1 });
    await launcher.close();
  });

  test('lives as long as it answers, however long a child of it takes to die', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-traced-'));
    const tracer = join(folder, 'traced');
    const source = fileURLToPath(new URL('../fixtures/traced.c', import.meta.url));
    execFileSync(process.env['CC'] ?? 'cc', ['-Wall', '-Wextra', '-Werror', source, '-o', tracer]);
    const p = new TestPool(2, { launcher: new ForkLauncher(forkAddon(), hurried(20)) });
    const setup = setupOf({ startChildren: 'fork', stdio: 'ignore' });
    const [server] = [...(await p.run(task('server'), [1], { setup })).values.values()] as [number];
    const stuck = p.run('misbehave', [{ how: 'never' }], { setup, timeoutMs: 500 });
    await until('it runs', () => p.pool.stats().processes.some(({ state }) => state === 'busy'));
    const { pid } = p.pool.stats().processes.find(({ state }) => state === 'busy') as {
      readonly pid: number;
    };
    // One that is traced cannot be buried before whoever traces it has gone.
    const traced = spawn(tracer, [String(pid)], { stdio: ['pipe', 'pipe', 'inherit'] });
    await new Promise((resolve) => traced.stdout.once('data', resolve));
    await until('it is dead', () => stateOf(pid) === 'Z' || stateOf(pid));
    // Three times as long as an answer may take.
    const beside = await p.run('waitMs', [1_500], { setup });
    expect(beside.ending.kind).toBe('finished');
    expect({ server: isAlive(server), child: stateOf(pid) }).toEqual({ server: true, child: 'Z' });
    traced.stdin.end();
    const { ending } = await stuck;
    expect(ending).toMatchObject({ kind: 'timedOut', exit: { pid, signal: 'SIGKILL' } });
    expect([...(await p.run(task('server'), [1], { setup })).values.values()]).toEqual([server]);
    await p.pool.terminate();
    rmSync(folder, { recursive: true });
  });

  test('says why children were spawned also when it forks again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-fork-'));
    const file = join(folder, 'tried');
    const failsFirst = `const { existsSync, writeFileSync } = process.getBuiltinModule('fs');
      if (!existsSync(${JSON.stringify(file)})) WebAssembly.compile = () => process.exit(3);
      writeFileSync(${JSON.stringify(file)}, '');`;
    let nowMs = 0;
    const p = new TestPool(1, {
      launcher: new ForkLauncher(forkAddon(), { ...realClock, nowMs: () => nowMs }),
    });
    const setup = setupOf({ startChildren: 'fork', stdio: 'ignore', execArgv: importing(failsFirst) });
    const notForked = 'a copy of it failed (exit code 3)';
    await p.run(task('server'), [1], { setup });
    expect(existsSync(file)).toBe(true);
    expect(p.pool.stats().starts).toEqual({ spawned: 1, forked: 0, notForked });
    nowMs = 10_000;
    for (let tries = 0; tries < 200 && p.pool.stats().starts.forked === 0; tries++) {
      await p.run(task('server'), [1, 2], { setup, maxTasksPerChild: 1 });
    }
    expect(p.pool.stats().starts).toEqual({
      spawned: expect.any(Number),
      forked: expect.any(Number),
      notForked,
    });
    expect(p.pool.stats().starts.forked).toBeGreaterThan(0);
    await p.pool.terminate();
    rmSync(folder, { recursive: true });
  });
});
