import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const bench = fileURLToPath(new URL('../bench/startup.ts', import.meta.url));

test('test/bench/startup.ts prints how long an import and a first result take', async () => {
  const child = spawn(process.execPath, ['--conditions=@shoal/source', bench, '--repeats', '1'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(child.exitCode, stdout + stderr).toBe(0);
  expect(stdout).toMatch(
    /\| import 'shoal' +\| +\d+ \| +\d+ \| +[\d.]+ \|\n\| new Pool\(\) to the first result +\|/,
  );
});
