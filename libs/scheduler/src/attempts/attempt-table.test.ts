import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Attempt } from './attempt.ts';
import { AttemptTable } from './attempt-table.ts';

test('an attempt is found by its number from its start to its end, whatever else starts and ends', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(600), { maxLength: 900 }), (ends) => {
      const table = new AttemptTable();
      const expected = new Map<number, Attempt>();
      let id = 0;
      for (const end of ends) {
        id += 1;
        const attempt = { id } as Attempt;
        table.add(attempt);
        expected.set(id, attempt);
        const over = expected.get(end);
        if (over === undefined) continue;
        table.delete(over);
        expected.delete(end);
      }
      expect([...table.values()]).toEqual([...expected.values()]);
      for (let each = 0; each <= id + 1; each += 1) expect(table.get(each)).toBe(expected.get(each));
    }),
    { numRuns: 30 },
  );
});

test('a number that nobody gave finds nothing', () => {
  const table = new AttemptTable();
  table.add({ id: 1 } as Attempt);
  for (const id of [0, -1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(table.get(id)).toBeUndefined();
  }
});

test('a number below all finds nothing, whatever page was looked into before', () => {
  const table = new AttemptTable();
  table.add({ id: 256 } as Attempt);
  expect(table.get(256)).toEqual({ id: 256 });
  table.add({ id: 512 } as Attempt);
  expect(table.get(-256)).toBeUndefined();
});
