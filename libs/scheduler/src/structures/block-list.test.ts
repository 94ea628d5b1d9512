import { expect, test } from 'vitest';
import { BlockList } from './block-list.ts';

function listOf(...counts: number[]): BlockList<{ first: number; count: number }> {
  const list = new BlockList<{ first: number; count: number }>();
  let first = 0;
  for (const count of counts) {
    list.append({ first, count });
    first += count;
  }
  return list;
}

test('the blocks that hold some items are found, in order', () => {
  const list = listOf(5, 5, 5);
  expect(list.touching(4, 2)).toEqual([
    { first: 0, count: 5 },
    { first: 5, count: 5 },
  ]);
  expect(list.touching(5, 5)).toEqual([{ first: 5, count: 5 }]);
  expect(list.at(14)).toEqual({ first: 10, count: 5 });
  expect(list.at(15)).toBeUndefined();
});

test('a block goes with its last item', () => {
  const list = listOf(5, 5);
  expect(list.release(0, 4)).toEqual([]);
  expect(list.release(4, 5)).toEqual([{ first: 0, count: 5 }]);
  expect(list.release(9, 1)).toEqual([{ first: 5, count: 5 }]);
  expect(list.touching(0, 10)).toEqual([]);
});

test('a first item that stays open does not keep the places of a million others', () => {
  const list = listOf(2, ...Array.from({ length: 1_000 }, () => 1));
  for (let item = 2; item < 1_002; item += 1)
    expect(list.release(item, 1)).toEqual([{ first: item, count: 1 }]);
  expect(list.release(1, 1)).toEqual([]);
  expect(list.at(0)).toEqual({ first: 0, count: 2 });
  expect(list.release(0, 1)).toEqual([{ first: 0, count: 2 }]);
});

test('a block that leaves a gap, overlaps or is empty is refused', () => {
  const list = listOf(5);
  for (const block of [
    { first: 6, count: 1 },
    { first: 4, count: 2 },
    { first: 5, count: 0 },
  ]) {
    expect(() => list.append(block)).toThrow(RangeError);
  }
});
