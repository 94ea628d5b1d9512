import { expect, test } from 'vitest';
import { takeOut } from './short-list.ts';

for (const [value, left] of [
  ['a', ['b', 'c']],
  ['b', ['a', 'c']],
  ['c', ['a', 'b']],
] as const) {
  test(`without ${value} the others keep their order`, () => {
    const list = ['a', 'b', 'c'];
    expect(takeOut(list, value)).toBe(true);
    expect(list).toEqual(left);
  });
}

test('a list loses nothing for a value that is not in it', () => {
  const list = ['a', 'b', 'c'];
  expect(takeOut(list, 'd')).toBe(false);
  expect(list).toEqual(['a', 'b', 'c']);
  expect(takeOut([], 'd')).toBe(false);
});
