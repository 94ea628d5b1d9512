import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const bench = fileURLToPath(new URL('../bench/stopped-client.ts', import.meta.url));

test('G29: the coordinator keeps within its memory while a client is stopped, which gets the rest of its stream then', async () => {
  // Another job runs beside it; how fast is no matter of a test.
  const options = ['--items', '40000', '--bytes', '1000', '--stopped-s', '1'];
  const child = spawn(process.execPath, ['--conditions=@shoal/source', bench, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(child.exitCode, stdout + stderr).toBe(0);
  expect(stdout).toMatch(/^\| the client is stopped +\| +\d+ \|$/m);
  expect(stdout).toMatch(/At its highest it had \d+ MiB, of 200 and the \d+ that its windows held at most\./);
  expect(stdout).toMatch(/% of the speed/);
});
