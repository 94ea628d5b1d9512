import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function node(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const child = spawn(process.execPath, ['--conditions=@shoal/source', ...args], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const [exitCode] = await once(child, 'close');
  return { exitCode, stdout, stderr };
}

/** The seconds that a line of the output tells. */
const secondsOf = (output: string, what: string): number =>
  Number(new RegExp(`${what}: ([\\d.]+) s`).exec(output)?.[1] ?? Number.NaN);

test('examples/square.ts squares', async () => {
  const args = ['libs/shoal/bin/shoal.js', 'map', 'examples/square.ts#square', '--input', '1..4', '--local'];
  expect(await node(args)).toEqual({ exitCode: 0, stdout: '1\n4\n9\n16\n', stderr: '' });
});

test('examples/scientists takes seven seconds in sequence and much less on four processes', async () => {
  const { exitCode, stdout, stderr } = await node(['examples/scientists/main.ts']);
  expect(exitCode, stderr).toBe(0);
  expect(stdout.match(/\(transform pid=\d+ item=\d\) processing record/g)).toHaveLength(7);
  expect(stdout).toContain('equal and in order: true');
  expect(secondsOf(stdout, 'sequential')).toBeGreaterThanOrEqual(7);
  expect(secondsOf(stdout, '4 processes')).toBeLessThan(secondsOf(stdout, 'sequential'));
});

describe('examples/source-census', () => {
  const args = ['examples/source-census/main.ts', 'node_modules', '--limit', '150'];

  test('counts what is in 150 real files', async () => {
    const { exitCode, stdout, stderr } = await node(args, { SHOAL_ADDRESS: '' });
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toMatch(/^150 files, [\d.]+ MB, [\d.]+ MB compressed; \d+ do not parse\.$/m);
    expect(stdout).toMatch(/^ {2}\d+ Identifier$/m);
    expect(stderr, 'no warnings of its processes').toBe('');
  });
});

test('the demo keeps its promises and leaves no process', { timeout: 180_000 }, async () => {
  const { exitCode, stdout, stderr } = await node(['examples/demo/main.ts']);
  expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
  for (const promise of [
    'ok  7 records, 7 pids',
    'ok  the records are unchanged',
    'ok  complete and in order all the same',
    'ok  byte for byte the same, in the same order',
    'ok  every process is gone',
  ]) {
    expect(stdout).toContain(promise);
  }
  expect(stdout).toMatch(/speed-up: [\d.]+ x/);
});
