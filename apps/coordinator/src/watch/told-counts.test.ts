import { expect, test } from 'vitest';
import { ToldCounts } from './told-counts.ts';

test('what happens often is told once a second, with how often it was meanwhile', () => {
  let nowMs = 5_000;
  const counts = new ToldCounts<string>(() => nowMs);
  const happens = (name: string): number | undefined => {
    counts.add(name);
    return counts.toTell(name);
  };
  expect(happens('a')).toBe(1);
  nowMs += 999;
  expect([happens('a'), happens('a'), happens('b')]).toEqual([undefined, undefined, 1]);
  nowMs += 1;
  expect(happens('a')).toBe(3);
  expect(counts.all()).toEqual({ a: 4, b: 1 });
});

test('what was only counted is told with the next one', () => {
  const counts = new ToldCounts<string>(() => 0);
  counts.add('a');
  counts.add('a');
  expect(counts.toTell('a')).toBe(2);
});
