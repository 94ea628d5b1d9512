import { expect, test } from 'vitest';
import { triedLimit } from '../../../../test/limit-edges.ts';
import { OwnerBook } from './owner-book.ts';

const identity = (id: string) => ({ id, name: id, roles: new Set(['client'] as const), words: id });
const [ann, bob] = [identity('ann'), identity('bob')];

test('whoever claims something first owns it, and may claim it again', () => {
  const book = new OwnerBook<string>(10);
  expect(book.claim('job', ann)).toBe(true);
  expect(book.claim('job', ann)).toBe(true);
  expect(book.claim('job', bob)).toBe(false);
  expect(book.isOwnedBy('job', ann)).toBe(true);
  expect(book.isOwnedBy('job', bob)).toBe(false);
  expect(book.isOwnedBy('another', ann), 'what nobody claimed is nobody’s').toBe(false);
});

test('a full book forgets what is over, and then what is oldest', () => {
  const over = new Set(['two']);
  const book = new OwnerBook<string>(3, { isOver: (key) => over.has(key) });
  for (const key of ['one', 'two', 'three', 'four']) book.claim(key, ann);
  expect(['one', 'two', 'three', 'four'].map((key) => book.ownerOf(key))).toEqual([
    'ann',
    undefined,
    'ann',
    'ann',
  ]);
  book.claim('five', bob);
  expect(book.ownerOf('one')).toBeUndefined();
  expect(book.ownerOf('five')).toBe('bob');
});

test('whoever fills a book loses what is his own, and nobody else does', () => {
  const book = new OwnerBook<string>(4);
  book.claim('bobs', bob);
  for (let at = 0; at < 20; at++) expect(book.claim(`anns ${at}`, ann)).toBe(true);
  expect(book.ownerOf('bobs')).toBe('bob');
  const left = Array.from({ length: 20 }, (_, at) => `anns ${at}`).filter((key) => book.isOwnedBy(key, ann));
  expect(left).toEqual(['anns 17', 'anns 18', 'anns 19']);
});

test('it tells of each that it drops although nobody said that it is over', () => {
  let dropped = 0;
  const over = new Set<string>();
  const book = new OwnerBook<string>(3, {
    isOver: (key) => over.has(key),
    onDropped: () => (dropped += 1),
  });
  const seen = ['one', 'two', 'three', 'four'].map((key, before) => {
    book.claim(key, ann);
    triedLimit('ownerEntries', before + 1, 3);
    return dropped;
  });
  expect(seen).toEqual([0, 0, 0, 1]);
  over.add('three');
  book.claim('five', ann);
  expect(dropped, 'what is over is dropped without a word').toBe(1);
});
