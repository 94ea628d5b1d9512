import { expect, test } from 'vitest';
import { ServerDeaths } from './server-deaths.ts';

test('the sixth death of a server within a minute is too often', () => {
  const deaths = new ServerDeaths();
  const seen = [0, 1_000, 2_000, 3_000, 4_000, 5_000].map((atMs) => deaths.add('a', atMs));
  expect(seen).toEqual([false, false, false, false, false, true]);
});

test('deaths of longer than a minute ago do not count', () => {
  const deaths = new ServerDeaths();
  for (let time = 0; time < 100; time++) expect(deaths.add('a', time * 12_001)).toBe(false);
});

test("the deaths of one key's servers are nothing to another's", () => {
  const deaths = new ServerDeaths();
  for (let time = 0; time < 100; time++) deaths.add('a', time);
  expect([deaths.add('b', 100), deaths.add('a', 100)]).toEqual([false, true]);
});

test('of more than 256 keys the one that was quiet for longest is forgotten', () => {
  const deaths = new ServerDeaths();
  for (let time = 0; time < 5; time++) deaths.add('a', 0);
  for (let key = 0; key < 256; key++) deaths.add(String(key), 0);
  expect(deaths.add('a', 0)).toBe(false);
});
