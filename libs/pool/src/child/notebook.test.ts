/** What a child notes instead of saying it. */
import { Buffer } from 'node:buffer';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, test as plain } from 'vitest';
import { closePage, notesBytesMax, pageBytes, pageHeadBytes, readPage } from '../notebook-page.ts';
import { Notebook } from './notebook.ts';

const test = plain.extend<{ path: string }>({
  path: async ({ task: _ }, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-test-'));
    await use(join(folder, 'notes'));
    rmSync(folder, { recursive: true });
  },
});

test('what is noted stands in the file with its position, and is there to be said', ({ expect, path }) => {
  writeFileSync(path, Buffer.alloc(pageBytes));
  const file = openSync(path, 'r');
  onTestFinished(() => closeSync(file));
  const notebook = Notebook.open(path);
  // Whoever has it open has it all the same.
  expect(existsSync(path)).toBe(false);
  expect(notebook?.add([Buffer.from('no'), Buffer.from('ted')], 7)).toBe(true);
  const page = Buffer.alloc(pageBytes);
  expect(readPage(page, readSync(file, page, 0, pageBytes, 0))).toEqual({
    position: 7,
    bytes: Buffer.from('noted'),
  });
  expect(notebook?.isEmpty).toBe(false);
  expect(notebook?.take().toString()).toBe('noted');
  expect(notebook?.isEmpty).toBe(true);
});

test('what there is no room for is not noted, and what is here stays', ({ expect, path }) => {
  writeFileSync(path, '');
  const notebook = Notebook.open(path);
  expect(notebook?.add([Buffer.from('noted')], 0)).toBe(true);
  expect(notebook?.add([Buffer.from('more'), Buffer.alloc(notesBytesMax)], 0)).toBe(false);
  expect(notebook?.take().toString()).toBe('noted');
});

test('what is noted after something else is as whole as that, and as what is noted in a new page', ({
  expect,
  path,
}) => {
  writeFileSync(path, Buffer.alloc(pageBytes));
  const file = openSync(path, 'r');
  onTestFinished(() => closeSync(file));
  const notebook = Notebook.open(path);
  const page = Buffer.alloc(pageBytes);
  const seen = (): string | undefined =>
    readPage(page, readSync(file, page, 0, pageBytes, 0))?.bytes.toString();
  // Time passes meanwhile, and then it is to be said first.
  const add = (text: string): string | undefined => {
    if (notebook?.add([Buffer.from(text)], 0) === false) {
      notebook.take();
      notebook.add([Buffer.from(text)], 0);
    }
    return seen();
  };
  expect(add('one ')).toBe('one ');
  expect(add('two ')).toMatch(/^(one )?two $/);
  expect(notebook?.add([Buffer.alloc(notesBytesMax + 1)], 0)).toBe(false);
  expect(add('three')).toMatch(/^((one )?two )?three$/);
  notebook?.take();
  expect(add('four')).toBe('four');
});

test('of a page and a shorter one that is written over it, no mixture is a page', ({ expect }) => {
  const pageOf = (position: number, text: string): Buffer => {
    const page = Buffer.alloc(pageBytes);
    page.write(text, pageHeadBytes);
    closePage(page, position, text.length);
    return page;
  };
  // As notes are: alike, but for what was worked out.
  const after = pageOf(1_034, 'item 4: 20, item 5: 21');
  const end = pageHeadBytes + 22;
  const first = pageOf(1_000, 'item 1: 17, item 2: 18, item 3: 19');
  const mixtures = [];
  for (let from = 0; from <= end; from++) {
    for (let to = from; to <= end; to++) {
      const page = Buffer.from(first);
      after.copy(page, from, from, to);
      const isPage = page.equals(first) || page.subarray(0, end).equals(after.subarray(0, end));
      if (!isPage) mixtures.push(readPage(page, pageBytes));
    }
  }
  expect(mixtures.length).toBeGreaterThan(100);
  expect(mixtures.filter((each) => each !== undefined)).toEqual([]);
});

test('a page that says more than it holds, or that was never written, is none', ({ expect }) => {
  expect(readPage(Buffer.alloc(pageBytes), 0)).toBeUndefined();
  const page = Buffer.alloc(pageBytes);
  page.writeUInt32LE(pageBytes, 8);
  expect(readPage(page, pageBytes)).toBeUndefined();
});

test('where there is no such file nothing is noted', ({ expect, path }) => {
  expect(Notebook.open(path)).toBeUndefined();
});

test('a file that somebody has opened under its number is not written to', ({ expect, path }) => {
  writeFileSync(path, '');
  // As its pool has it: nobody else gets its inode.
  const pools = openSync(path, 'r');
  onTestFinished(() => closeSync(pools));
  const notebook = Notebook.open(path);
  expect(notebook?.add([Buffer.from('noted')], 0)).toBe(true);
  const file = Number(readdirSync('/proc/self/fd').find((fd) => Number(fd) !== pools && isOfNotes(fd, path)));
  closeSync(file);
  const others = `${path}-of-somebody-else`;
  expect(openSync(others, 'w+')).toBe(file);
  onTestFinished(() => closeSync(file));
  writeSync(file, 'precious');
  // However long that took, it is not yet time to say something.
  notebook?.take();
  expect(notebook?.add([Buffer.from('noted')], 0)).toBe(false);
  expect(readFileSync(others, 'utf8')).toBe('precious');
});

const isOfNotes = (fd: string, path: string): boolean => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith(path);
  } catch {
    // That by which the folder was read.
    return false;
  }
};
