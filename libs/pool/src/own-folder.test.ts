import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeOwnFolder, removeDeadFolders } from './own-folder.ts';

let parent = '';
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'own-folder-'));
});
afterEach(() => rmSync(parent, { recursive: true }));

/** A folder as another process on this machine would have made it. */
function folderOf(own: string, pid: number, start?: string): string {
  const [, , home, , ownStart] = basename(own).split('-');
  const path = join(parent, `shoal-work-${home}-${pid}-${start ?? ownStart}-abcdef`);
  mkdirSync(path);
  writeFileSync(join(path, 'bundle.mjs'), '');
  return path;
}

test('a folder is private to its user and bears its process', () => {
  const own = makeOwnFolder(parent, 'pool');
  expect(statSync(own).mode & 0o777).toBe(0o700);
  expect(basename(own)).toContain(`-${process.pid}-`);
});

test('folders of processes that were killed are removed, those of living ones stay', () => {
  const own = makeOwnFolder(parent, 'work');
  const { pid: dead } = spawnSync('true');
  const stale = folderOf(own, dead);
  const ofEarlierNumber = folderOf(own, process.pid, '1');
  const elsewhere = join(parent, `shoal-work-00000000-${dead}-1-abcdef`);
  const other = join(parent, 'shoal-work-something');
  for (const path of [elsewhere, other]) mkdirSync(path);
  removeDeadFolders(parent);
  expect([own, stale, ofEarlierNumber, elsewhere, other].map((path) => existsSync(path))).toEqual([
    true,
    false,
    false,
    true,
    true,
  ]);
});

test('a folder that cannot be read stops nobody', () => {
  expect(() => removeDeadFolders(join(parent, 'missing'))).not.toThrow();
});
