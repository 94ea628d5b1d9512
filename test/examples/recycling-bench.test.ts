import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const bench = fileURLToPath(new URL('../bench/recycling.ts', import.meta.url));

test('test/bench/recycling.ts prints what a child costs and an efficiency for every cell', async () => {
  const child = spawn(process.execPath, ['--conditions=@shoal/source', bench, '--seconds', '0.1'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect(child.exitCode, stdout + stderr).toBe(0);
  expect(stdout).toMatch(/tasks that do nothing: \d+ ms of a CPU each,\nso at most \d+ children\/s/);
  const rows = stdout.split('\n').filter((line) => / %/.test(line));
  expect(rows.map((line) => line.split('|')[1]?.trim())).toEqual([
    '1',
    '10',
    '100',
    '1,000',
    'never replaced',
  ]);
  for (const line of rows) expect(line.match(/\d+ %/g), line).toHaveLength(3);
});
