import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Poison, preparePoisonFolder, readPoison, writePoison } from './poison-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-poison-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const poison: Poison = {
  index: 137,
  item: { name: 'Marie Curie', when: new Date(0), seen: new Set([-0, 1n]), bytes: Uint8Array.of(1, 2) },
  task: { url: pathToFileURL('/somewhere/work.ts'), export: 'transform' },
  moduleSha256: 'abc',
  timeoutMs: 500,
  failure: {
    code: 'ITEM_KILLED_CHILD',
    message: 'Item 137 killed its process once.',
    attempts: [{ pid: 7, signal: 'SIGSEGV', ms: 3 }],
    stderrTail: 'ouch',
  },
};

test('what was saved is read back as it was', async () => {
  expect(await readPoison(await writePoison(folder, poison))).toEqual(poison);
});

test('only its owner may read it, and its name tells nothing of the item', async () => {
  const path = await writePoison(folder, poison);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(path).toMatch(/\/poison-137-[0-9a-f]{8}\.json$/);
});

test('the same index of two jobs makes two files', async () => {
  expect(await writePoison(folder, poison)).not.toBe(await writePoison(folder, poison));
});

test('a folder that is missing is made, for its owner alone', async () => {
  const inner = join(folder, 'a', 'b');
  await preparePoisonFolder(inner);
  expect(statSync(inner).mode & 0o777).toBe(0o700);
});

test('a folder that cannot be made is refused', async () => {
  const path = join(await writePoison(folder, poison), 'below-a-file');
  await expect(preparePoisonFolder(path)).rejects.toMatchObject({ code: 'FILE_NOT_USABLE', facts: { path } });
});
