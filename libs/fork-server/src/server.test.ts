import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const cwd = fileURLToPath(new URL('.', import.meta.url));
const isThere = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
const canCompile = process.platform === 'linux' && isThere('cc');
const strict = ['-std=gnu11', '-g', '-O1', '-Wall', '-Wextra', '-Werror', 'server.c', 'trial.c'];
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-server-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(command: string, args: readonly string[]): { status: number | null; output: string } {
  const { error, status, stderr, stdout } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: 100_000,
  });
  return { status, output: `${stdout}${stderr}${error?.message ?? ''}` };
}

function compile(name: string, flags: readonly string[]): string {
  const program = join(folder, name);
  expect(run('cc', [...strict, ...flags, '-o', program])).toEqual({ status: 0, output: '' });
  return program;
}

const asItShouldBe = { status: 0, output: '40 children, each as it should be\n' };

test.skipIf(!canCompile)('the server touches no memory that is not its own (AddressSanitizer)', () => {
  expect(
    run(compile('sanitized', ['-fsanitize=address,undefined', '-fno-sanitize-recover=all']), []),
  ).toEqual(asItShouldBe);
});

test.skipIf(!canCompile || !isThere('valgrind'))(
  'the server leaves no memory and no descriptor behind (Valgrind)',
  () => {
    const strictly = ['--quiet', '--error-exitcode=9', '--leak-check=full', '--trace-children=yes'];
    expect(run('valgrind', [...strictly, compile('plain', [])])).toEqual(asItShouldBe);
  },
);
