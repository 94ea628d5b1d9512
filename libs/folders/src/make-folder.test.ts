import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeFolder } from './make-folder.ts';

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'shoal-test-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

test('a folder is made with those above it, private to its owner, and again without harm', () => {
  const path = join(parent, 'a', 'b', 'c');
  for (let time = 0; time < 2; time++) makeFolder(path);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  makeFolder('/');
});

test('a file in its way is an error', () => {
  const file = join(parent, 'file');
  writeFileSync(file, '');
  expect(() => makeFolder(file)).toThrow('EEXIST');
  expect(() => makeFolder(join(file, 'a', 'b'))).toThrow('ENOTDIR');
});

test.runIf(existsSync('/proc/self'))('where no folder can ever be made, it says so at once', () => {
  expect(() => makeFolder('/proc/shoal/spill')).toThrow('ENOENT');
});
