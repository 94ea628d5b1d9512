import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

test.skipIf(process.platform !== 'linux')(
  'a machine without a compiler builds everything but the addon, and is told',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-no-compiler-'));
    cpSync(join(root, 'tools/build-addon.ts'), join(folder, 'tools/build-addon.ts'));
    cpSync(join(root, 'libs/fork-server/src'), join(folder, 'libs/fork-server/src'), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'tools/build-addon.ts')], {
      encoding: 'utf8',
      env: { PATH: folder },
    });
    expect({ status, output: `${stdout}${stderr}` }).toEqual({
      status: 0,
      output: expect.stringContaining('there is no compiler (cc)'),
    });
    expect(existsSync(join(folder, `libs/fork-server/dist/fork-server-linux-${process.arch}.node`))).toBe(
      false,
    );
    rmSync(folder, { recursive: true });
  },
);
