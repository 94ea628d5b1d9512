import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const cwd = fileURLToPath(new URL('.', import.meta.url));
const isThere = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
const canCompile = process.platform === 'linux' && isThere('cc');
const flags = ['-std=gnu11', '-g', '-O1', '-Wall', '-Wextra', '-Werror'];
const strict = [...flags, 'server.c', 'trial.c'];
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-server-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): { status: number | null; output: string } {
  const { error, status, stderr, stdout } = spawnSync(command, args, {
    cwd,
    env,
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

// Where the fork server is demanded, so is this.
test.skipIf(!canCompile || (!isThere('valgrind') && process.env['REQUIRE_FORK_SERVER'] !== '1'))(
  'the server leaves no memory and no descriptor behind (Valgrind)',
  () => {
    const strictly = ['--quiet', '--error-exitcode=9', '--leak-check=full', '--trace-children=yes'];
    expect(run('valgrind', [...strictly, compile('plain', [])])).toEqual(asItShouldBe);
  },
);

test.skipIf(!canCompile)(
  'in Node, the addon refuses what it must, and touches no memory that is not its own (AddressSanitizer)',
  () => {
    const headers = join(
      dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json')),
      'include',
    );
    const addon = join(folder, 'sanitized.node');
    const asAddon = ['-fPIC', '-shared', '-fvisibility=hidden', '-I', headers];
    const sanitized = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
    const compiled = run('cc', [...flags, ...asAddon, ...sanitized, 'addon.c', 'server.c', '-o', addon]);
    expect(compiled).toEqual({ status: 0, output: '' });
    // Node has none of it, so it has to be there before everything else. Node itself leaves memory behind.
    const sanitizer = run('cc', ['-print-file-name=libasan.so']).output.trim();
    const env = { PATH: process.env['PATH'], LD_PRELOAD: sanitizer, ASAN_OPTIONS: 'detect_leaks=0' };
    const { status, output } = run(process.execPath, ['addon-trial.cjs', addon], env);
    expect(status, output).toBe(0);
    expect(JSON.parse(output)).toEqual({
      refusals: ['sendOrder', 'serve', 'closeEnds', 'watchFile', 'tryInCopy'],
      children: [1, 2, 3].map((id) => ({ id, isItself: true, isSeed: true })),
      code: 0,
    });
  },
);
