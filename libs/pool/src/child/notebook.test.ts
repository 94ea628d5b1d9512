/** What a child notes instead of saying it. */
import { Buffer } from 'node:buffer';
import { closeSync, existsSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, test as plain } from 'vitest';
import { notesBytesMax, pageBytes, readPage } from '../notebook-page.ts';
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

test('a page that says more than it holds, or that was never written, is none', ({ expect }) => {
  expect(readPage(Buffer.alloc(pageBytes), 0)).toBeUndefined();
  const page = Buffer.alloc(pageBytes);
  page.writeUInt32LE(pageBytes, 8);
  expect(readPage(page, pageBytes)).toBeUndefined();
});

test('where there is no such file nothing is noted', ({ expect, path }) => {
  expect(Notebook.open(path)).toBeUndefined();
});
