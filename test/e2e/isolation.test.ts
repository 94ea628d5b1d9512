/** The one level of isolation that is a boundary: children in containers. The others are in test/cluster. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect, type MapPool } from 'shoal';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildImage, dockerAnswers } from '../../docker/image.ts';
import { Command } from '../cli/command.testkit.ts';
import { attempts, facts } from '../cluster/isolation-work.ts';
import { TestCluster, until } from '../cluster/test-cluster.ts';

const available = await dockerAnswers();

// containers.test.ts says so when there is no Docker daemon, and fails where there has to be one.
describe.skipIf(!available)('children in containers', () => {
  const cluster = new TestCluster();
  let pool: MapPool;
  let agent: Command;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-goal-'));
    await writeFile(join(folder, 'secret'), 'secret', { mode: 0o644 });
    const image = await buildImage('shoal:e2e');
    await cluster.listen();
    const { address } = cluster.coordinator;
    const isolation = ['--isolation', 'container', '--isolation-image', image, '--max-rss-bytes', '128MiB'];
    isolation.push('--isolation-cpus', '0.5');
    agent = Command.start(['agent', '--join', address, '--name', 'ship', '--processes', '1', ...isolation], {
      env: { AGENT_SECRET: 'x' },
    });
    await agent.said(/agent ship joined/);
    pool = await connect(address, { env: { GIVEN: 'x' } });
  });
  afterAll(async () => {
    await pool?.terminate();
    agent?.signal('SIGKILL');
    await cluster.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('a child has no network, no rights, no environment but what it was given, and an empty folder', async () => {
    expect(await pool.apply(facts, [])).toEqual({
      cwd: '/tmp/work',
      files: [],
      env: ['GIVEN', 'HOME', 'PATH', 'TMPDIR'],
      uid: 65_534,
      groups: [65_534],
      noNewPrivileges: '1',
      capabilities: '0000000000000000',
      isLeader: expect.any(Boolean),
      descriptors: [],
      interfaces: ['lo'],
    });
  });

  test('of its machine it sees no file, and what it writes is nowhere but in its own memory', async () => {
    expect(await pool.apply(attempts, [{ secret: join(folder, 'secret'), folder }])).toEqual({
      readsSecret: 'ENOENT',
      writesElsewhere: 'ENOENT',
      writesBySqlite: 'ERR_SQLITE_ERROR',
      writesAtWork: 'done',
      writesTemporary: 'done',
      startsProcess: 'done',
      startsThread: 'done',
    });
  });

  test('one that ends, or takes more memory than it may, is blamed and replaced as anywhere', async () => {
    const outcomes = await pool.mapSettled(
      (how: string) => {
        if (how === 'exit') process.exit(3);
        if (how === 'hog') return Buffer.alloc(512 * 1024 * 1024, 1).byteLength;
        return how.length;
      },
      ['fine', 'exit', 'hog', 'well'],
      { retries: { crash: 0 } },
    );
    expect(outcomes).toMatchObject([
      { value: 4 },
      { error: { code: 'ITEM_KILLED_CHILD', attempts: [{ exitCode: 3 }] } },
      { error: { code: 'ITEM_KILLED_CHILD', attempts: [{ signal: 'SIGKILL' }] } },
      { value: 4 },
    ]);
  });

  test('they are gone when their agent is killed, whatever they do', async () => {
    const running = pool.apply(() => {
      for (;;) Math.sqrt(2);
    }, []);
    running.catch(() => {});
    await until(
      'one runs',
      () => cluster.coordinator.status().runningItems,
      (seen) => seen > 0,
    );
    const [name = ''] = await containers();
    const format = '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.NanoCpus}}';
    const { stdout } = await promisify(execFile)('docker', ['inspect', '--format', format, name]);
    expect(stdout.trim(), 'memory, with swap, and CPUs').toBe(`${2 ** 27} ${2 ** 27} 500000000`);
    agent.signal('SIGKILL');
    await until(
      'its container is gone',
      async () => (await containers()).length,
      (seen) => seen === 0,
    );
  });
});

/** Containers of children, by their names. */
async function containers(): Promise<string[]> {
  const args = ['ps', '--format', '{{.Names}}', '--filter', 'name=^shoal-[0-9a-f]{18}$'];
  const { stdout } = await promisify(execFile)('docker', args);
  return stdout.split('\n').filter(Boolean);
}
