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

test('a list whose pages come again, or have no end, is no list', async () => {
  const turning = allPages(
    async () => ({ nextPageToken: 'x' }),
    () => ['a'],
  );
  await expect(turning).rejects.toMatchObject({ code: 'LIMIT_REACHED' });
  let page = 0;
  const growing = allPages(
    async () => {
      page += 1;
      return { nextPageToken: `${page}` };
    },
    () => new Array<string>(10_000).fill('a'),
  );
  await expect(growing).rejects.toThrow(
    'A list of the coordinator: 110000 entries is over the limit of 100000',
  );
  expect(page).toBe(11);
});
