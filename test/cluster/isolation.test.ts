/** Each level of isolation: what it claims, and what the documents say that it does not do. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentConfig } from '@shoal/node-agent';
import { Isolation, type ListAgentsRequest, type ListAgentsResponse } from '@shoal/protocol';
import { connect, Pool, type PoolOptions } from 'shoal';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { attempts, facts, type Goal, leaveBehind, readsDescriptor, takesMemory } from './isolation-work.ts';
import { unary } from './raw-client.ts';
import { TestCluster, until } from './test-cluster.ts';

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn('NOT ROOT: isolation by users is not tried.');

let cluster: TestCluster;
let goal: Goal;
beforeEach(async () => {
  cluster = new TestCluster();
  const folder = await mkdtemp(join(tmpdir(), 'shoal-goal-'));
  goal = { folder, secret: join(folder, 'secret') };
  await writeFile(goal.secret, 'secret', { mode: 0o600 });
});
afterEach(async () => {
  await cluster.stop();
  await rm(goal.folder, { recursive: true, force: true });
});

type Level = NonNullable<PoolOptions['isolation']>;

async function clusterWith(isolation: Level, options: PoolOptions = {}) {
  await cluster.listen();
  await cluster.agent({ isolation, processes: 1 });
  return connect(cluster.coordinator.address, options);
}

const everything = {
  readsSecret: 'done',
  writesElsewhere: 'done',
  writesBySqlite: 'done',
  writesAtWork: 'done',
  writesTemporary: 'done',
  startsProcess: 'done',
  startsThread: 'done',
};
const denied = 'ERR_ACCESS_DENIED';

/** Nothing that this process has open is open in a child; each leads its own group, and works in an empty folder. */
function expectOwn(found: ReturnType<typeof facts>): void {
  expect(found).toMatchObject({ files: [], isLeader: true, descriptors: [] });
  expect(found.cwd).not.toBe(process.cwd());
}

describe('process', () => {
  test('a child on an agent has an empty folder that goes with it, a group of its own, no descriptor of the agent, and little of its environment', async () => {
    process.env['AGENT_SECRET'] = 'x';
    await using held = await open(goal.secret);
    await using pool = await clusterWith('process', { maxTasksPerChild: 1 });
    const [first, second] = await pool.map(facts, [1, 2]);
    for (const found of [first, second]) if (found !== undefined) expectOwn(found);
    expect(first?.cwd).not.toBe(second?.cwd);
    expect(first?.env.filter((name) => /SECRET|TOKEN|SHOAL/.test(name))).toEqual([]);
    await until('their folders are gone', () =>
      [first, second].every((found) => !existsSync(found?.cwd ?? '')),
    );
    expect(held.fd).toBeGreaterThan(0);
    delete process.env['AGENT_SECRET'];
  });

  test('it does with the rights of its agent whatever it likes', async () => {
    await using pool = await clusterWith('process');
    expect(await pool.apply(attempts, [goal])).toEqual(everything);
  });
});

test.each<Partial<AgentConfig>>([
  { isolation: 'process', startChildren: 'spawn' },
  { isolation: 'process', startChildren: 'fork' },
  { isolation: 'permission' },
  ...(isRoot ? [{ isolation: 'user' } as const] : []),
])('a file that whoever started the agent had open (%j) is closed to a child', async (config) => {
  await using held = await open(goal.secret, 'r+');
  await cluster.listen();
  // As a shell has it that was told `exec 200<>FILE`: Node closes the low numbers by itself.
  const more = [...Array.from({ length: 197 }, () => 'ignore' as const), held.fd];
  await cluster.agentProcess('with-a-file', 1, config, more);
  await using pool = await connect(cluster.coordinator.address);
  expect(await pool.apply(readsDescriptor, [200])).not.toContain('secret');
  expect(await readFile(goal.secret, 'utf8')).toBe('secret');
});

/** Levels that hold the limit of memory by themselves; a container has its own, which test/e2e/isolation.test.ts tries. */
test.each<Level>(['process', 'permission', ...(isRoot ? (['user'] as const) : [])])(
  '%s: an item that takes its child far over the memory that it may have is killed and named, one that keeps a little more gets it replaced',
  async (level) => {
    await using pool = await clusterWith(level, { maxRssBytes: 150 * 2 ** 20 });
    const options = { chunkSize: 1, retries: { crash: 0 } };
    const outcomes = await pool.mapSettled(takesMemory, [1, 400, 2, 120, 3], options);
    expect(outcomes).toMatchObject([
      { value: { mebibytes: 1 } },
      {
        error: {
          code: 'ITEM_KILLED_CHILD',
          attempts: [{ signal: 'SIGKILL' }],
          stderrTail: expect.stringMatching(/over 2 times maxRssBytes \(150 MiB\), and was killed/),
        },
      },
      { value: { mebibytes: 2 } },
      { value: { mebibytes: 120 } },
      { value: { mebibytes: 3 } },
    ]);
    const pids = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.pid : 0));
    expect(pids[3], 'it had room').toBe(pids[2]);
    expect(pids[4], 'it was replaced').not.toBe(pids[3]);
  },
);

describe('permission', () => {
  const seatBelt = {
    ...everything,
    readsSecret: denied,
    writesElsewhere: denied,
    startsProcess: denied,
    startsThread: denied,
    // The documents say so: it is no boundary.
    writesBySqlite: 'done',
  };

  test('on an agent a child reads code, writes where it works, and nothing else; node:sqlite goes past it', async () => {
    await using pool = await clusterWith('permission');
    expect(await pool.apply(attempts, [goal])).toEqual(seatBelt);
    expect((await readdir(goal.folder)).filter((name) => !name.startsWith('sqlite-'))).toEqual(['secret']);
  });

  test('its coordinator says that the agent does it', async () => {
    await cluster.listen();
    await cluster.agent({ isolation: 'permission', processes: 1 });
    const { agents } = await unary<ListAgentsRequest, ListAgentsResponse>(
      (request, done) => cluster.connect().cluster.listAgents(request, done),
      { pageToken: '', groupId: '' },
    );
    expect(agents.map(({ isolation }) => isolation)).toEqual([Isolation.PERMISSION]);
  });

  test('a job may ask for it on an agent that does less', async () => {
    await using pool = await clusterWith('process', { isolation: 'permission' });
    expect(await pool.apply(attempts, [goal])).toEqual(seatBelt);
  });

  test('in a pool on one machine a child reads what this process may, for its modules lie anywhere', async () => {
    await using pool = new Pool({ processes: 1, isolation: 'permission' });
    expectOwn(await pool.apply(facts, []));
    expect(await pool.apply(attempts, [goal])).toEqual({ ...seatBelt, readsSecret: 'done' });
  });

  test.each<PoolOptions>([
    { execArgv: ['--allow-fs-write=*'] },
    { execArgv: ['--no-permission'] },
    { env: { NODE_OPTIONS: '--allow-child-process' } },
    { env: { NODE_OPTIONS: '"\\--allow-fs-write=*"' } },
    { execArgv: ['--entry-url', 'data:text/javascript,0'] },
    { execArgv: ['/any/file.js'] },
  ])('%j would undo it, and is refused', async (options) => {
    expect(() => new Pool({ isolation: 'permission', ...options })).toThrow(
      expect.objectContaining({ code: 'ISOLATION_NOT_AVAILABLE' }),
    );
    await using pool = await clusterWith('permission', options);
    await expect(pool.apply(attempts, [goal])).rejects.toMatchObject({ code: 'ISOLATION_NOT_AVAILABLE' });
  });
});

test('what brings native code into a child is refused on an agent that keeps children apart', async () => {
  await using pool = await clusterWith('permission', { env: { LD_PRELOAD: '/any/library.so' } });
  await expect(pool.apply(facts, [])).rejects.toMatchObject({ code: 'ISOLATION_NOT_AVAILABLE' });
});

describe.skipIf(!isRoot)('user', () => {
  const walled = { ...everything, readsSecret: 'EACCES', writesElsewhere: 'EACCES' };

  test('a child is a user of its own without any rights of root, and gains none', async () => {
    await using pool = await clusterWith('user');
    const found = await pool.apply(facts, []);
    expectOwn(found);
    expect(found).toMatchObject({
      noNewPrivileges: '1',
      capabilities: '0000000000000000',
      groups: [found.uid],
    });
    expect(found.uid).toBeGreaterThanOrEqual(1_900_000_000);
    const { writesBySqlite, ...rest } = await pool.apply(attempts, [goal]);
    expect(rest).toEqual((({ writesBySqlite: _, ...others }) => others)(walled));
    expect(writesBySqlite).not.toBe('done');
    expect(await readdir(goal.folder)).toEqual(['secret']);
  });

  test('what a child leaves behind ends with the last child of its user, whatever group it went into', async () => {
    await using pool = await clusterWith('user');
    const pid = await pool.apply(leaveBehind, []);
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    await pool.terminate();
    await until('it is gone', () => !existsSync(`/proc/${pid}`));
  });

  test('what came to run as a user since it was cleaned up ends before anybody has that user', async () => {
    const uid = 1_850_000_000;
    await cluster.listen();
    await cluster.agent({ isolation: 'user', processes: 1, isolationUids: [uid, uid + 1] });
    const stranger = spawn('sleep', ['600'], { uid, gid: uid, detached: true, stdio: 'ignore' });
    await once(stranger, 'spawn');
    const ended = once(stranger, 'exit');
    await using pool = await connect(cluster.coordinator.address);
    expect(await pool.apply(() => process.getuid?.(), [])).toBe(uid);
    expect(await ended).toEqual([null, 'SIGKILL']);
  });

  test('children of one connection share a user, and those of another one have another', async () => {
    await cluster.listen();
    await cluster.agent({ isolation: 'user', processes: 3 });
    const { address } = cluster.coordinator;
    await using one = await connect(address, { maxTasksPerChild: 1 });
    await using other = await connect(address);
    const ofOne = await one.map(facts, [1, 2, 3]);
    const { uid } = await other.apply(facts, []);
    const [first] = ofOne;
    expect(new Set(ofOne.map((found) => found.uid)).size).toBe(1);
    expect(uid).not.toBe(first?.uid);
  });
});

describe('what cannot be had', () => {
  test.each(['user', 'container'] as const)(
    '%s is for agents: a pool on one machine refuses it',
    (isolation) => {
      expect(() => new Pool({ isolation })).toThrow(
        expect.objectContaining({
          code: 'ISOLATION_NOT_AVAILABLE',
          message: expect.stringContaining(`shoal agent --isolation ${isolation}`),
        }),
      );
    },
  );

  test('a job that asks for more than its agents can do is told what to start', async () => {
    await using pool = await clusterWith('process', { isolation: 'user' });
    await expect(pool.apply(facts, [])).rejects.toMatchObject({
      code: 'ISOLATION_NOT_AVAILABLE',
      message: expect.stringContaining('shoal agent --isolation user'),
    });
  });

  test('a level that nobody knows is refused by name', () => {
    expect(() => new Pool({ isolation: 'chroot' as Level })).toThrow(/isolation/);
  });

  test('an agent whose image is not there does not start', async () => {
    await cluster.listen();
    await expect(
      cluster.agent({ isolation: 'container', isolationImage: 'shoal:no-such-release' }),
    ).rejects.toMatchObject({ code: 'ISOLATION_NOT_AVAILABLE' });
  });
});
