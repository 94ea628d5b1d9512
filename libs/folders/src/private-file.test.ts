import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ExposedFileError, readPrivateFile } from './private-file.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-private-'));
  path = join(folder, 'key');
  writeFileSync(path, 'secret\n', { mode: 0o600 });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(process.platform === 'win32')('where files have modes', () => {
  test.each([0o600, 0o400, 0o700])('a file of mode %o is read', async (mode) => {
    chmodSync(path, mode);
    expect(await readPrivateFile(path, 'key')).toBe('secret\n');
  });

  test.each([0o640, 0o604, 0o620, 0o601, 0o644])(
    'one of mode %o is refused, with what to type',
    async (mode) => {
      chmodSync(path, mode);
      const text = mode.toString(8).padStart(4, '0');
      const refused = readPrivateFile(path, 'key');
      await expect(refused).rejects.toThrow(ExposedFileError);
      await expect(refused).rejects.toThrow(
        `others can read this key (mode ${text}); run: chmod 600 ${path}`,
      );
    },
  );

  test('the mode of a link says nothing: that of the file behind it does', async () => {
    const link = join(folder, 'link');
    symlinkSync(path, link);
    expect(await readPrivateFile(link, 'key')).toBe('secret\n');
    chmodSync(path, 0o644);
    await expect(readPrivateFile(link, 'key')).rejects.toThrow(ExposedFileError);
  });
});

test("one that is not there is told in the system's words", async () => {
  await expect(readPrivateFile(join(folder, 'none'), 'key')).rejects.toMatchObject({ code: 'ENOENT' });
});
