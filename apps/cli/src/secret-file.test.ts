import { execFileSync } from 'node:child_process';
import { constants } from 'node:fs';
import { chmod, mkdtemp, open, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeSecret } from './secret-file.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-secret-file-'));
  path = join(folder, 'token');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const modeOf = async (): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

test('a secret is written for its owner alone', async () => {
  await writeSecret(path, 'secret\n');
  expect(await readFile(path, 'utf8')).toBe('secret\n');
  expect(await modeOf()).toBe('600');
  expect(await readdir(folder)).toEqual(['token']);
});

test('who has opened a file that others could read does not read the secret that takes its place', async () => {
  await writeFile(path, 'before', { mode: 0o644 });
  await chmod(path, 0o644);
  await using opened = await open(path, 'r');
  await writeSecret(path, 'secret');
  expect(await opened.readFile('utf8')).toBe('before');
  expect(await readFile(path, 'utf8')).toBe('secret');
  expect(await modeOf()).toBe('600');
});

test('a link stays one: the secret is where it leads', async () => {
  const target = join(folder, 'elsewhere');
  await writeFile(target, 'before');
  await symlink(target, path);
  await writeSecret(path, 'secret');
  expect(await readFile(target, 'utf8')).toBe('secret');
  expect((await readdir(folder)).toSorted()).toEqual(['elsewhere', 'token']);
});

test.skipIf(process.platform === 'win32')('a pipe is written to, not replaced', async () => {
  execFileSync('mkfifo', ['-m', '644', path]);
  await using reader = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  await writeSecret(path, 'secret');
  expect((await reader.read(Buffer.alloc(10))).bytesRead).toBe(6);
  expect((await stat(path)).isFIFO()).toBe(true);
  expect(await modeOf(), 'it is whoever made it who says for whom').toBe('644');
});

test('a folder that is missing is named, and a failure leaves nothing behind', async () => {
  const nowhere = join(folder, 'nowhere', 'token');
  await expect(writeSecret(nowhere, 'secret')).rejects.toMatchObject({
    code: 'FILE_NOT_USABLE',
    facts: { path: nowhere },
  });
  await expect(writeSecret(folder, 'secret')).rejects.toMatchObject({ code: 'FILE_NOT_USABLE' });
  expect(await readdir(folder)).toEqual([]);
});
