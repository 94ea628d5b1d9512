import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const bench = fileURLToPath(new URL('../bench/scheduler.ts', import.meta.url));

test('test/bench/scheduler.ts prints what a shard costs for every size of a cluster', async () => {
  const child = spawn(
    process.execPath,
    ['--conditions=@shoal/source', bench, '--shards', '2000', '--rounds', '1'],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(child.exitCode, stdout + stderr).toBe(0);
  const [, , ...rows] = stdout.trim().split('\n');
  expect(rows).toHaveLength(8);
  for (const row of rows) expect(row).toMatch(/^\| [\d,]+ \| [\d,]+ \| [\d.]+ µs \| [\d,]+ \|$/);
});
