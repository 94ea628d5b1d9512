import { expect, test } from 'vitest';
import { allPages } from './pages.ts';

test('a list is read to its last page', async () => {
  const pages: Record<string, { names: string[]; nextPageToken: string }> = {
    '': { names: ['a', 'b'], nextPageToken: 'b' },
    b: { names: [], nextPageToken: 'c' },
    c: { names: ['d'], nextPageToken: '' },
  };
  const asked: string[] = [];
  const pageAt = async (token: string) => {
    asked.push(token);
    return pages[token] as { names: string[]; nextPageToken: string };
  };
  expect(await allPages(pageAt, ({ names }) => names)).toEqual(['a', 'b', 'd']);
  expect(asked).toEqual(['', 'b', 'c']);
});

test('a list without an end is read for 10,000 pages', async () => {
  const list = await allPages(
    async () => ({ nextPageToken: 'x' }),
    () => ['a'],
  );
  expect(list).toHaveLength(10_000);
});
