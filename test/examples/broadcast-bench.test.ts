import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const bench = fileURLToPath(new URL('../bench/broadcast.ts', import.meta.url));

test('a table as a handle is faster, and takes less memory, than the table inside each item', async () => {
  const options = ['--megabytes', '4', '--items', '40'];
  const child = spawn(process.execPath, ['--conditions=@shoal/source', bench, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(child.exitCode, stdout + stderr).toBe(0);
  const [handle, inside] = [...stdout.matchAll(/(\d+) ms +peak +(\d+) MiB/g)].map(([, ms, mib]) => ({
    ms: Number(ms),
    mib: Number(mib),
  }));
  expect(handle?.ms, stdout).toBeLessThan(inside?.ms ?? 0);
  expect(handle?.mib, stdout).toBeLessThan(inside?.mib ?? 0);
});
