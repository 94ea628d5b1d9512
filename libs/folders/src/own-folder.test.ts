import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type FolderKind, OwnFolder } from './own-folder.ts';

const kinds: readonly FolderKind[] = ['bundles', 'pool', 'spill', 'work'];
let parent = '';
const made: OwnFolder[] = [];
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'own-folder-'));
});
afterEach(() => {
  for (const folder of made.splice(0)) folder.removeSync();
  rmSync(parent, { recursive: true });
});

function make(kind: FolderKind): OwnFolder {
  const folder = OwnFolder.make(parent, kind);
  made.push(folder);
  return folder;
}

/** A folder as another process would have made it, on this machine or elsewhere. */
function folderOf(own: OwnFolder, other: { home?: string; pid?: number; start?: string }): string {
  const [, kind, home, pid, start] = basename(own.path).split('-');
  const owner = `${other.home ?? home}-${other.pid ?? pid}-${other.start ?? start}`;
  const path = join(parent, `shoal-${kind}-${owner}-abcdef`);
  mkdirSync(path);
  writeFileSync(join(path, 'bundle.mjs'), '');
  return path;
}

function age(path: string, seconds: number): void {
  const then = Date.now() / 1_000 - seconds;
  utimesSync(path, then, then);
}

test('a folder is private to its user and bears its process', () => {
  const own = make('pool');
  expect(statSync(own.path).mode & 0o777).toBe(0o700);
  expect(basename(own.path)).toContain(`-${process.pid}-`);
});

test('folders of processes that were killed are removed, those of living ones stay', () => {
  const own = make('work');
  const { pid: dead } = spawnSync('true');
  const stale = folderOf(own, { pid: dead });
  const ofEarlierNumber = folderOf(own, { start: '1' });
  const other = join(parent, 'shoal-work-something');
  mkdirSync(other);
  OwnFolder.removeDead(parent);
  expect([own.path, stale, ofEarlierNumber, other].map((path) => existsSync(path))).toEqual([
    true,
    false,
    false,
    true,
  ]);
});

test.each(kinds)(
  'a folder of %s from another container goes when nobody has marked it for an hour',
  (kind) => {
    const own = make(kind);
    const living = folderOf(own, { home: '00000000', pid: 1 });
    const forgotten = folderOf(own, { home: '00000000', pid: 2 });
    age(living, 3_540);
    age(forgotten, 3_660);
    OwnFolder.removeDead(parent);
    expect([living, forgotten].map((path) => existsSync(path))).toEqual([true, false]);
  },
);

test('a living process marks all of its folders every minute, and no timer is left when they are gone', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const folders = [make('bundles'), make('work')];
    for (const { path } of folders) age(path, 7_200);
    vi.advanceTimersByTime(60_000);
    for (const { path } of folders) expect(Date.now() - statSync(path).mtimeMs).toBeLessThan(60_000);
    for (const folder of folders) folder.removeSync();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('a folder goes with its process, and neither its timer nor its listener keeps that', () => {
  const program = `
    import { OwnFolder } from ${JSON.stringify(new URL('./own-folder.ts', import.meta.url).href)};
    for (const kind of ${JSON.stringify(kinds)}) console.log(OwnFolder.make(${JSON.stringify(parent)}, kind).path);`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  const paths = stdout.trim().split('\n');
  expect(status, stderr).toBe(0);
  expect(paths).toHaveLength(kinds.length);
  expect(paths.filter((path) => existsSync(path))).toEqual([]);
});

test('a folder is removed once, whoever does it, and its removal twice is no error', async () => {
  const own = make('work');
  rmSync(own.path, { recursive: true });
  expect(own.isThere).toBe(false);
  own.mark();
  await own.remove();
  await own.remove();
});

test('a folder that cannot be read stops nobody', () => {
  expect(() => OwnFolder.removeDead(join(parent, 'missing'))).not.toThrow();
});
