import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { triedLimit } from '../../../../test/limit-edges.ts';
import { SpillFolder } from './spill-folder.ts';

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'shoal-test-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const bytes = (value: number, length: number): Uint8Array => new Uint8Array(length).fill(value);
/** The files of all spill folders. */
const files = (): string[] => readdirSync(parent).flatMap((name) => readdirSync(join(parent, name)));
const MiB = 2 ** 20;

test('nothing is made before it is needed', () => {
  new SpillFolder(parent, MiB);
  expect(readdirSync(parent)).toEqual([]);
});

test('bytes are read back as they were, whole and in part, each from its own place', () => {
  const folder = new SpillFolder(parent, MiB);
  const [first, second, other] = [
    folder.write('a', bytes(1, 100)),
    folder.write('a', bytes(2, 50)),
    folder.write('b', bytes(3, 70)),
  ];
  expect([...first.read(0, 100)]).toEqual([...bytes(1, 100)]);
  expect([...second.read(0, 50)]).toEqual([...bytes(2, 50)]);
  expect([...other.read(68, 70)]).toEqual([3, 3]);
  expect(folder.bytes).toBe(220);
  folder.close();
});

test('only its owner can look into the folder', () => {
  const folder = new SpillFolder(parent, MiB);
  folder.write('a', bytes(1, 100));
  const [name = ''] = readdirSync(parent);
  expect(statSync(join(parent, name)).mode & 0o077).toBe(0);
  folder.close();
});

test('a file goes with the last bytes in it, and no job keeps another one’s file', () => {
  const folder = new SpillFolder(parent, MiB);
  const [a1, a2, b] = [
    folder.write('a', bytes(1, 10)),
    folder.write('a', bytes(1, 10)),
    folder.write('b', bytes(1, 10)),
  ];
  a1.free();
  expect([files().length, folder.bytes]).toEqual([2, 30]);
  a2.free();
  expect([files().length, folder.bytes]).toEqual([1, 10]);
  b.free();
  expect([files(), folder.bytes]).toEqual([[], 0]);
  expect([...folder.write('a', bytes(5, 1)).read(0, 1)]).toEqual([5]);
  folder.close();
});

test('more than maxSpillBytes is refused with the option that raises it', () => {
  const folder = new SpillFolder(parent, 100);
  folder.write('a', bytes(1, 60));
  expect(() => folder.write('b', bytes(1, 60))).toThrow('--max-spill-bytes');
  folder.close();
});

test('a disk that takes no more is an error of the job, and a later write works', () => {
  const folder = new SpillFolder(parent, MiB);
  folder.write('a', bytes(1, 10));
  const [name = ''] = readdirSync(parent);
  // A folder in the place of the next file: opening it to write fails, as a full disk does.
  mkdirSync(join(parent, name, '2'));
  expect(() => folder.write('b', bytes(1, 10))).toThrow(
    expect.objectContaining({ name: 'StorageError', job: 'b', message: expect.stringContaining('EISDIR') }),
  );
  expect([...folder.write('b', bytes(7, 1)).read(0, 1)]).toEqual([7]);
  folder.close();
});

test('bytes that are not there any more are an error of the job', () => {
  const folder = new SpillFolder(parent, MiB);
  const place = folder.write('a', bytes(1, 10));
  const [name = ''] = readdirSync(parent);
  writeFileSync(join(parent, name, '1'), '');
  expect(() => place.read(0, 10)).toThrow(expect.objectContaining({ name: 'StorageError', job: 'a' }));
  rmSync(join(parent, name), { recursive: true });
  expect(() => place.read(0, 10)).toThrow('ENOENT');
  expect(() => place.free()).not.toThrow();
});

test('a folder that somebody has deleted costs what lay in it; what comes later goes into a new one', () => {
  const spill = join(parent, 'spill');
  const folder = new SpillFolder(spill, MiB);
  const lost = folder.write('a', bytes(1, 10));
  rmSync(spill, { recursive: true });
  for (const job of ['a', 'b']) expect([...folder.write(job, bytes(7, 2)).read(0, 2)]).toEqual([7, 7]);
  expect(() => lost.read(0, 10)).toThrow(expect.objectContaining({ name: 'StorageError', job: 'a' }));
  lost.free();
  expect(folder.bytes).toBe(4);
  folder.close();
  expect(readdirSync(spill)).toEqual([]);
});

test('everything is deleted at the end, and what a dead coordinator left at the start', () => {
  const earlier = new SpillFolder(parent, MiB);
  earlier.write('a', bytes(1, 1));
  const [living = ''] = readdirSync(parent);
  const dead = living.replace(`-${process.pid}-`, '-4194304-');
  for (const left of [dead, 'something-else']) mkdirSync(join(parent, left));
  const folder = new SpillFolder(parent, MiB);
  expect(readdirSync(parent).toSorted()).toEqual([living, 'something-else'].toSorted());
  folder.write('a', bytes(1, 10));
  expect(readdirSync(parent)).toHaveLength(3);
  for (const each of [earlier, folder]) each.close();
  expect(readdirSync(parent)).toEqual(['something-else']);
});

test('a folder that cannot be written into is refused before anything starts', () => {
  const file = join(parent, 'file');
  writeFileSync(file, '');
  expect(() => new SpillFolder(join(file, 'folder'), MiB)).toThrow('--spill-dir');
});

test.runIf(existsSync('/proc/self'))('a folder that can never be made is refused at once', () => {
  expect(() => new SpillFolder('/proc/shoal/spill', 1)).toThrow(/--spill-dir.*\(ENOENT\)/);
});

test.each([
  [39, true],
  [40, true],
  [41, false],
])('after 60 of 100 bytes, %i more find a place: %s', (more, fits) => {
  const folder = new SpillFolder(parent, 100);
  folder.write('a', bytes(1, 60));
  const write = (): unknown => folder.write('b', bytes(1, more));
  triedLimit('spillBytes', 60 + more, 100);
  if (fits) expect(write).not.toThrow();
  else expect(write).toThrow('--max-spill-bytes');
  folder.close();
});
