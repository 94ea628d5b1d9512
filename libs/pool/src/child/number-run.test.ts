import { expect, test } from 'vitest';
import { NumberRun } from './number-run.ts';

function taken(...numbers: number[]): Int32Array | Float64Array {
  const run = new NumberRun(8);
  run.values.set(numbers);
  run.count = numbers.length;
  return run.take();
}

test('integers are taken in 32 bits', () => {
  expect(taken(1, -2, 2 ** 31 - 1, -(2 ** 31))).toEqual(new Int32Array([1, -2, 2 ** 31 - 1, -(2 ** 31)]));
});

test.each([-0, 0.5, 2 ** 31, Number.NaN, Infinity])('%s among them is taken as it is', (odd) => {
  const numbers = taken(1, odd, 3);
  expect(numbers).toBeInstanceOf(Float64Array);
  expect([...numbers]).toEqual([1, odd, 3]);
});

test('the place is lent to another batch once it is empty, and not before', () => {
  const run = new NumberRun(8);
  const [one, other] = [{}, {}];
  expect(run.lendTo(one)).toBe(true);
  run.count = 2;
  expect(run.lendTo(other)).toBe(false);
  expect([run.countOf(one), run.countOf(other)]).toEqual([2, 0]);
  run.take();
  expect(run.lendTo(other)).toBe(true);
  run.count = 1;
  expect([run.countOf(one), run.countOf(other)]).toEqual([0, 1]);
});
