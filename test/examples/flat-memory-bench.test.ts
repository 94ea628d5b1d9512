import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const bench = fileURLToPath(new URL('../bench/flat-memory.ts', import.meta.url));

test('half a million items leave no more alive in a child than a tenth of them, in 64 MiB of old space too', async () => {
  const options = ['--conditions=@shoal/source', '--expose-gc', bench, '--items', '500000'];
  const child = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(child.exitCode, stdout + stderr).toBe(0);
  expect(stdout.match(/^\| {4}500,000 \|/gm), stdout).toHaveLength(2);
});
