import { expect, test } from 'vitest';
import { pageOf } from './page.ts';

const length = (text: string): number => text.length;

test('a page has what fits into it, to the byte', () => {
  expect(pageOf(['aa', 'bb', 'c'], length, 5)).toEqual({ items: ['aa', 'bb', 'c'], hasMore: false });
  expect(pageOf(['aa', 'bb', 'c'], length, 4)).toEqual({ items: ['aa', 'bb'], hasMore: true });
  expect(pageOf(['aa', 'bb', 'c'], length, 3)).toEqual({ items: ['aa'], hasMore: true });
});

test('what is bigger than a page has one of its own', () => {
  expect(pageOf(['aaaa', 'b'], length, 3)).toEqual({ items: ['aaaa'], hasMore: true });
  expect(pageOf(['aaaa'], length, 3)).toEqual({ items: ['aaaa'], hasMore: false });
});

test('of what comes after a page nothing is looked at but the first', () => {
  const seen: string[] = [];
  function* list(): Generator<string> {
    for (const text of ['aa', 'bb', 'cc', 'dd']) {
      seen.push(text);
      yield text;
    }
  }
  pageOf(list(), length, 3);
  expect(seen).toEqual(['aa', 'bb']);
});

test('a list of nothing is one empty page', () => {
  expect(pageOf([], length, 3)).toEqual({ items: [], hasMore: false });
});
