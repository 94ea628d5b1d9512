import { expect, test } from 'vitest';
import { frameItems, unframeItems } from './item-frames.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

test('an item is its length, little endian, and its bytes', () => {
  expect([...frameItems([bytes(7, 8), bytes(), bytes(9)])]).toEqual([
    2, 0, 0, 0, 7, 8, 0, 0, 0, 0, 1, 0, 0, 0, 9,
  ]);
});

test('items come out as they went in', () => {
  const items = [bytes(1), bytes(), bytes(...new Array<number>(300).fill(5))];
  expect(unframeItems(frameItems(items), 3).map((item) => [...item])).toEqual(items.map((item) => [...item]));
});

test.each([
  ['too few', frameItems([bytes(1)]), 2],
  ['too many', frameItems([bytes(1), bytes(2)]), 1],
  ['a length beyond the end', bytes(9, 0, 0, 0, 1), 1],
  ['half a length', bytes(1, 0), 1],
])('a block with %s is refused', (_, block, count) => {
  expect(() => unframeItems(block, count)).toThrow(/INTERNAL|fault/);
});
