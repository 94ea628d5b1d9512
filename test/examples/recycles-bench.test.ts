import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const bench = fileURLToPath(new URL('../bench/recycles.ts', import.meta.url));

test('where children are to be forked and cannot be, it fails and says so', async () => {
  // Something of Node's that a copy would not do.
  const options = ['--recycles', '4', '--samples', '1', '--start-children', 'fork', '--preload'];
  const child = spawn(process.execPath, ['--trace-exit', '--conditions=@shoal/source', bench, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(stdout).toMatch(/\n\d+ spawned, 0 forked, /);
  expect(stdout).toContain('Children were not started as asked (--start-children fork).');
  expect(stdout).not.toContain('Nothing is left behind.');
  expect(child.exitCode, stdout + stderr).toBe(1);
});

test('150 recycles leave no zombie, no descriptor and no listener behind', async () => {
  const options = ['--recycles', '150', '--samples', '2'];
  const child = spawn(process.execPath, ['--conditions=@shoal/source', bench, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(child.exitCode, stdout + stderr).toBe(0);
  expect(stdout).toContain('Nothing is left behind.');
  expect(stdout).toMatch(/\n150 recycles in \d+ s, \d+ different pids, 0 children died unasked\n/);
});
