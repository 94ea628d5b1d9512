import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { isAlive } from '../../../../test/process-life.ts';
import { slack } from '../../../../test/slack.ts';
import { until } from '../child-pool/child-pool.testkit.ts';

/** Starts a pool in a process of its own, which says which processes there are, and kills it. */
async function orphansOf(how: string, startChildren: string, killed = 'pool'): Promise<number[]> {
  const script = new URL('../fixtures/parent.ts', import.meta.url).pathname;
  const parent: ChildProcess = spawn(
    process.execPath,
    ['--conditions=@shoal/source', script, how, startChildren],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const pids: number[] = [];
  for await (const line of createInterface({ input: parent.stdout as NodeJS.ReadableStream })) {
    if (line === 'ready') break;
    pids.push(Number(line));
  }
  expect(pids.every(isAlive)).toBe(true);
  if (killed === 'pool and server') {
    const servers = new Set(pids.slice(1, -1).map(parentOf));
    for (const server of servers) process.kill(server, 'SIGKILL');
  }
  parent.kill('SIGKILL');
  return pids;
}

test.each([
  ['busy', 'spawned'],
  ['waiting', 'spawned'],
  ['grandchild', 'spawned'],
  ['busy', 'forked'],
  ['grandchild', 'forked'],
])('children that are %s and were %s are gone within 2 s of the kill of their parent', async (how, way) => {
  const pids = await orphansOf(how, way === 'forked' ? 'fork' : 'spawn');
  expect(pids.length).toBeGreaterThanOrEqual(3);
  await until(
    'all are gone',
    () => pids.filter(isAlive).length === 0 || pids.filter(isAlive),
    2_000 * slack(),
  );
});

test.each(['spawn', 'fork'])('busy children (%s) end with the thread that their pool is in', async (way) => {
  const thread = new Worker(new URL('../fixtures/parent.ts', import.meta.url), {
    argv: ['busy', way],
    execArgv: ['--conditions=@shoal/source'],
    stdout: true,
  });
  const pids: number[] = [];
  for await (const line of createInterface({ input: thread.stdout })) {
    if (line === 'ready') break;
    pids.push(Number(line));
  }
  expect(pids.length).toBeGreaterThanOrEqual(3);
  expect(pids.every(isAlive)).toBe(true);
  await thread.terminate();
  await until('all are gone', () => pids.filter(isAlive).length === 0 || pids.filter(isAlive), 10_000);
});

test.each(['pool', 'pool and server'])(
  'what forked children have started is gone with their %s, whoever is killed first',
  async (killed) => {
    for (let i = 0; i < 3; i++) {
      const pids = await orphansOf('grandchild', 'fork', killed);
      await until(
        'all are gone',
        () => pids.filter(isAlive).length === 0 || pids.filter(isAlive),
        2_000 * slack(),
      );
    }
  },
);

const parentOf = (pid: number): number =>
  Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
