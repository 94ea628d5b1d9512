/** What children only note: nobody is woken for it, and nothing of it is lost or told twice. */
import { Buffer } from 'node:buffer';
import fs, { mkdtempSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { closePage, pageBytes, pageHeadBytes } from '../notebook-page.ts';
import { type Outcome, until } from './child-pool.testkit.ts';
import { ChildWords } from './child-words.ts';
import { poolsOfTests } from './test-pools.testkit.ts';

const pool = poolsOfTests();
/** After so many tiny chunks a child has a notebook, and the pool knows how short they are. */
const warmUp = Array.from({ length: 100 }, () => 'ok');

/** One whose notes a test writes, and what was taken of it. */
function listener(isBusy = false): {
  words: ChildWords;
  taken: string[];
  note: (at: number, text: string) => number;
} {
  const taken: string[] = [];
  const words = new ChildWords(
    (bytes) => taken.push(bytes.toString()),
    () => isBusy,
  );
  const file = openSync(words.offerNotebook() ?? '', 'r+');
  const page = Buffer.alloc(pageBytes);
  const note = (at: number, text: string): number => {
    page.write(text, pageHeadBytes);
    return writeSync(file, page, 0, closePage(page, at, text.length), 0);
  };
  return { words, taken, note };
}

test('what a child noted last is taken at its end, after all that it had said', () => {
  const { words, taken, note } = listener();
  words.heard(Buffer.from('said '));
  note(5, 'noted');
  words.finish();
  expect(taken).toEqual(['said ', 'noted']);
});

test('what was noted and said since is taken once', () => {
  const { words, taken, note } = listener();
  note(0, 'noted');
  words.heard(Buffer.from('not'));
  words.finish();
  expect(taken).toEqual(['not', 'ed']);
  const other = listener();
  other.note(0, 'noted');
  other.words.heard(Buffer.from('noted, and more'));
  other.words.finish();
  expect(other.taken).toEqual(['noted, and more']);
});

test('notes of a child that is silent are taken while it lives, and not again when it says them', async () => {
  const { words, taken, note } = listener();
  note(0, 'noted');
  words.ordered();
  await until('its notes are taken', () => taken.length === 1);
  words.heard(Buffer.from('no'));
  words.heard(Buffer.from('ted, and more'));
  words.finish();
  expect(taken).toEqual(['noted', ', and more']);
});

test('what a child notes later is taken as well: it is looked at for as long as it is busy', () => {
  vi.useFakeTimers();
  try {
    const { words, taken, note } = listener(true);
    const idle = listener();
    for (const { words: each } of [{ words }, idle]) each.ordered();
    // The first look finds nothing: the machine is busy with something else.
    vi.advanceTimersByTime(5_000);
    note(0, 'noted');
    vi.advanceTimersByTime(640);
    expect(taken).toEqual(['noted']);
    note(5, 'more');
    words.ordered();
    vi.advanceTimersByTime(20);
    expect(taken).toEqual(['noted', 'more']);
    expect(vi.getTimerCount()).toBe(1);
    for (const each of [words, idle.words]) each.finish();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('what a child writes while it is read is left until it has come to rest', () => {
  vi.useFakeTimers();
  const { readSync } = fs;
  try {
    const { words, taken, note } = listener(true);
    note(0, 'noted');
    let reads = 0;
    fs.readSync = ((...args: Parameters<typeof readSync>) => {
      const length = readSync(...args);
      reads += 1;
      if (reads === 1) note(0, 'noted and more');
      return length;
    }) as typeof readSync;
    syncBuiltinESMExports();
    words.ordered();
    vi.advanceTimersByTime(20);
    expect({ taken, reads }).toEqual({ taken: [], reads: 2 });
    vi.advanceTimersByTime(40);
    expect({ taken, reads }).toEqual({ taken: ['noted and more'], reads: 4 });
    words.finish();
  } finally {
    fs.readSync = readSync;
    syncBuiltinESMExports();
    vi.useRealTimers();
  }
});

test('a disk that does not give notes back ends nothing: they are not known', () => {
  const { words, taken, note } = listener();
  note(0, 'noted');
  const { readSync } = fs;
  try {
    fs.readSync = (() => {
      throw Object.assign(new Error('EIO'), { code: 'EIO' });
    }) as typeof readSync;
    syncBuiltinESMExports();
    expect(() => words.finish()).not.toThrow();
  } finally {
    fs.readSync = readSync;
    syncBuiltinESMExports();
  }
  expect(taken).toEqual([]);
});

test('a child whose part has no function is not busy with it: its notes are not looked at for ever', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const p = pool(1);
    await Promise.all(warmUp.map((item) => p.run('standStill', [item])));
    const timersLeft = async (task: string): Promise<number> => {
      await p.run(task, [1]);
      vi.advanceTimersByTime(5_000);
      return vi.getTimerCount();
    };
    const idle = await timersLeft('addOne');
    expect(await timersLeft('adOne')).toBe(idle);
    expect(p.pool.stats().deaths).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('of a child that nobody listens to, notes are left alone until somebody does', async () => {
  const { words, taken, note } = listener();
  const other = listener();
  words.pause(true);
  for (const each of [words, other.words]) each.ordered();
  note(0, 'noted');
  other.note(0, 'noted');
  // It had to wait as long.
  await until("the other's notes are taken", () => other.taken.length === 1);
  expect(taken).toEqual([]);
  words.pause(false);
  await until('its notes are taken', () => taken.length === 1);
  for (const each of [words, other.words]) each.finish();
});

test.each([
  ['notes that are half of one page and half of another', { at: 0, written: 20 }],
  ['notes that come after what was not heard', { at: 1, written: pageBytes }],
])('%s are not taken', (_, { at, written }) => {
  const taken: string[] = [];
  const words = new ChildWords(
    (bytes) => taken.push(bytes.toString()),
    () => false,
  );
  const page = Buffer.alloc(pageBytes);
  page.write('noted', pageHeadBytes);
  closePage(page, at, 5);
  page.fill(0xff, written);
  writeFileSync(words.offerNotebook() ?? '', page);
  words.finish();
  expect(taken).toEqual([]);
});

test('a notebook leaves no file behind, whether its child came to open it or not', async () => {
  const words = new ChildWords(
    () => {},
    () => false,
  );
  const path = words.offerNotebook() ?? '';
  const files = (): string[] => readdirSync(dirname(path)).filter((name) => name.startsWith('notes-'));
  expect(files()).toHaveLength(1);
  words.finish();
  expect(files()).toEqual([]);
  const p = pool(1);
  await Promise.all(warmUp.map((item) => p.run('standStill', [item])));
  await until('its file is gone while it lives', () => files().length === 0);
  expect(p.pool.stats().processes).toHaveLength(1);
});

test('of tiny chunks in one child those before the one that ends it are done, it alone is suspect, the rest run', async () => {
  const p = pool(1);
  await Promise.all(warmUp.map((item) => p.run('standStill', [item])));
  const items = Array.from({ length: 12 }, (_, at) => (at === 7 ? 'kill' : 'ok'));
  const outcomes = await Promise.all(items.map((item) => p.run('standStill', [item])));
  const { ending } = outcomes[7] as Outcome;
  expect(ending).toMatchObject({ kind: 'childDied', suspects: [{ first: 0, count: 1 }], unstarted: [] });
  const dead = ending.kind === 'childDied' ? ending.exit.pid : undefined;
  // What was only noted is not run again.
  expect(outcomes.slice(0, 7).map(({ values }) => values.get(0))).toEqual(Array(7).fill(dead));
  for (const { ending: other } of outcomes.toSpliced(7, 1)) expect(other).toEqual({ kind: 'finished' });
  for (const { values } of outcomes.slice(8)) expect(values.get(0)).not.toBe(dead);
});

test('an item that takes unlike those before it keeps no result of theirs back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-test-'));
  const p = pool(1);
  await Promise.all(warmUp.map((item) => p.run('standStill', [item])));
  // More than once, for where the machine is busy the first of them is said before the other one begins.
  for (const name of ['once', 'twice', 'again']) {
    const file = join(folder, name);
    let isDone = false;
    const before = p.run('standStill', ['ok']).finally(() => (isDone = true));
    const unlike = p.run('standStill', [{ untilThereIs: file }]);
    await until('the one before it is done', () => isDone);
    writeFileSync(file, '');
    for (const outcome of [before, unlike]) expect((await outcome).ending).toEqual({ kind: 'finished' });
  }
  rmSync(folder, { recursive: true });
});
