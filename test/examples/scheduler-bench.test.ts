import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const file = (name: string): string => fileURLToPath(new URL(`../bench/${name}`, import.meta.url));

async function run(...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, ['--conditions=@shoal/source', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  // 1: it is not flat. What is measured here is too little to tell.
  expect([0, 1], stdout + stderr).toContain(child.exitCode);
  return stdout;
}

test('test/bench/scheduler.ts prints what a shard costs for every size of a cluster, and whether that is flat', async () => {
  const few = ['--shards', '2000', '--rounds', '1', '--sizes', '2', '--only', 'time,steps'];
  const [, , ...lines] = (await run(file('scheduler.ts'), ...few)).trim().split('\n');
  for (const row of lines.slice(0, 2))
    expect(row).toMatch(/^\| [\d,]+ \| 1 \| \d+ \| - \| [\d.]+ µs \| [\d.]+ µs \| [\d,]+ \|$/);
  expect(lines.slice(2)).toEqual(['', expect.stringMatching(/^(Flat|NOT FLAT): steps at most /)]);
});

// Blocks of code entered, as V8 counts them: the same in every run, however busy the machine is.
test('the scheduler does no more for a shard of a large cluster with many jobs than for one of a small one', async () => {
  const stepsOf = async (agents: number, jobs: number): Promise<number> => {
    const row = await run(file('scheduler-row.ts'), 'steps', `${agents}`, `${jobs}`, '4800');
    return (JSON.parse(row) as { perShard: number }).perShard;
  };
  const small = await stepsOf(10, 1);
  expect(small).toBeGreaterThan(100);
  for (const [agents, jobs] of [
    [300, 1],
    [10, 300],
    [300, 300],
  ] as const) {
    expect(await stepsOf(agents, jobs), `${agents} agents, ${jobs} jobs`).toBeLessThan(small * 1.1);
  }
});
