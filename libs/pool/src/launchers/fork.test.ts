import { mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ItemError } from '@shoal/errors';
import { describe, expect, test } from 'vitest';
import { isAlive } from '../../../../test/process-life.ts';
import { slack } from '../../../../test/slack.ts';
import { setupOf, until } from '../child-pool/child-pool.testkit.ts';
import { Pool } from '../pool.ts';
import { forkAddon } from './fork-addon.ts';
import { children, Forking, taskOf } from './forking.testkit.ts';

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

const { why } = forkAddon();

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
    await until('its children are gone', () => !pids.some(isAlive), 2_000 * slack());
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

  test('ends its servers with itself', async () => {
    const pool = new Forking(1);
    const [server] = [...(await pool.run('server', [1])).values.values()].map(Number) as [number];
    expect(isAlive(server)).toBe(true);
    await pool.test.pool.terminate();
    expect(isAlive(server)).toBe(false);
  });
});
