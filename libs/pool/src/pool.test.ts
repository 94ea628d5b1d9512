import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { until } from './child-pool/child-pool.testkit.ts';
import { PrintWriter } from './child-pool/print-writer.ts';
import { Pool } from './pool.ts';

const idlePids = (pool: Pool): number[] =>
  pool
    .stats()
    .processes.filter(({ state }) => state === 'idle')
    .map(({ pid }) => pid);

test('children start when the pool is made, before there is any work', async () => {
  await using pool = new Pool({ processes: 2 });
  await until('two idle children', () => idlePids(pool).length === 2 || pool.stats());
  const pids = idlePids(pool);
  expect(pids).toContain(await pool.apply(() => process.pid, []));
  expect(pool.stats().processes.map(({ pid }) => pid)).toEqual(pids);
});

test('a pool whose children were killed is at full size again without work', async () => {
  await using pool = new Pool({ processes: 2 });
  await until('two idle children', () => idlePids(pool).length === 2 || pool.stats());
  const before = idlePids(pool);
  for (const pid of before) process.kill(pid, 'SIGKILL');
  await until('two others', () => {
    const now = idlePids(pool);
    return (now.length === 2 && now.every((pid) => !before.includes(pid))) || pool.stats();
  });
  expect(pool.stats().deaths).toBe(2);
});

test('labels choose among machines: a pool on one machine runs the job, whatever they say', async () => {
  await using pool = new Pool({ processes: 1 });
  expect(await pool.map((x: number) => x + 1, [1, 2], { labels: { gpu: 'a100' } })).toEqual([2, 3]);
});

test('what an initializer prints before there is any job is shown', async () => {
  let shown = '';
  const stdout = new Writable({
    write: (text, _, done) => {
      shown += String(text);
      done();
    },
  });
  await using pool = new Pool({
    processes: 1,
    printer: new PrintWriter({ stdout }),
    initializer: () => console.log('ready to go'),
  });
  await until('the line', () => shown !== '' || shown);
  expect(shown).toBe(`(pid=${pool.stats().processes[0]?.pid}) ready to go\n`);
});
