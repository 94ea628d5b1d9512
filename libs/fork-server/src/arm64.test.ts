/**
 * The fork server on the other processor that it is made for, by an emulator: a cross compiler (Debian:
 * gcc-aarch64-linux-gnu, libc6-dev-arm64-cross) and qemu-user-static. With a Node for arm64 in SHOAL_ARM64_NODE, the addon in it as well.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const cwd = fileURLToPath(new URL('.', import.meta.url));
const compiler = 'aarch64-linux-gnu-gcc';
const isThere = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
const emulator = ['qemu-aarch64-static', 'qemu-aarch64'].find(isThere);
const canTry = emulator !== undefined && isThere(compiler);
const node = process.env['SHOAL_ARM64_NODE'];
const flags = ['-std=gnu11', '-O2', '-g', '-Wall', '-Wextra', '-Werror'];

function run(command: string, args: readonly string[]): { status: number | null; output: string } {
  const { error, status, stderr, stdout } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: 120_000,
  });
  return { status, output: `${stdout}${stderr}${error?.message ?? ''}` };
}

describe.skipIf(!canTry && process.env['REQUIRE_FORK_SERVER'] !== '1')('on arm64', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'shoal-arm64-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function compiled(name: string, args: readonly string[]): string {
    const file = join(folder, name);
    expect(run(compiler, [...flags, ...args, '-o', file])).toEqual({ status: 0, output: '' });
    return file;
  }

  const addon = (): string => {
    const headers = dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json'));
    const asAddon = ['-fPIC', '-shared', '-fvisibility=hidden', '-I', join(headers, 'include')];
    return compiled('addon.node', [...asAddon, 'addon.c', 'server.c']);
  };

  test('the server makes children, and tells how each has ended', () => {
    const trial = compiled('trial', ['-static', 'server.c', 'trial.c']);
    expect(run(emulator ?? '', [trial])).toEqual({
      status: 0,
      output: '40 children, each as it should be\n',
    });
  });

  test('the addon compiles without a warning', () => {
    addon();
  });

  test.skipIf(node === undefined)('in Node, the addon makes copies that are processes of their own', () => {
    // The emulator is what the system has to start wherever Node starts Node.
    const emulated = join(folder, 'node');
    writeFileSync(
      emulated,
      `#!/bin/sh\nexec ${emulator} -L \${QEMU_LD_PREFIX:-/usr/aarch64-linux-gnu} ${node} "$@"\n`,
    );
    chmodSync(emulated, 0o755);
    const preload = join(folder, 'preload.cjs');
    writeFileSync(preload, `process.execPath = ${JSON.stringify(emulated)};\n`);
    const { status, output } = run(emulated, ['-r', preload, 'addon-trial.cjs', addon()]);
    expect(status, output).toBe(0);
    expect(JSON.parse(output)).toEqual({
      refusals: ['sendOrder', 'serve', 'closeEnds'],
      children: [1, 2, 3].map((id) => ({ id, isItself: true, isSeed: true })),
      code: 0,
    });
  });
});
