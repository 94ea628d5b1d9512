import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RangeSet } from './range-set.ts';

test('taking answers what was in, and leaves the rest', () => {
  const set = new RangeSet(10, 10);
  expect(set.take(12, 3)).toEqual([{ first: 12, count: 3 }]);
  expect(set.take(0, 14)).toEqual([{ first: 10, count: 2 }]);
  expect(set.take(12, 3)).toEqual([]);
  expect(set.ranges()).toEqual([{ first: 15, count: 5 }]);
  expect(set.size).toBe(5);
});

test('a range set is a set of numbers, whatever is taken from it', () => {
  const range = fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 15 }));
  fc.assert(
    fc.property(range, fc.array(range, { maxLength: 12 }), ([first, count], takes) => {
      const set = new RangeSet(first, count);
      const model = new Set(Array.from({ length: count }, (_, at) => first + at));
      for (const [from, length] of takes) {
        const expected = [...model].filter((item) => item >= from && item < from + length);
        const taken = set
          .take(from, length)
          .flatMap((each) => Array.from({ length: each.count }, (_, at) => each.first + at));
        expect(taken).toEqual(expected);
        for (const item of expected) model.delete(item);
        expect(set.size).toBe(model.size);
      }
      expect(
        set.ranges().flatMap((each) => Array.from({ length: each.count }, (_, at) => each.first + at)),
      ).toEqual([...model]);
    }),
  );
});
