import { expect, test } from 'vitest';
import { random, reseed } from './chance.ts';

test('numbers are made of the upper bits of two words of xoshiro128+', () => {
  reseed([1, 2, 3, 4]);
  // What its authors' program prints for this state.
  const words = [
    5, 12_295, 25_178_119, 27_286_542, 39_879_690, 1_140_358_681, 3_276_312_097, 4_110_231_701, 399_823_256,
    2_144_435_200,
  ];
  for (let at = 0; at < words.length; at += 2) {
    const [high = 0, low = 0] = words.slice(at, at + 2);
    expect(random()).toBe(((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53);
  }
});

test.each([
  ['first', 0],
  ['second', 1],
  ['third', 2],
  ['fourth', 3],
])('another bit in the %s word of the seed gives other numbers', (_, at) => {
  const words = [0x8000_0001, 2, 3, 4];
  const drawn = (seed: readonly number[]): number[] => {
    reseed(seed);
    return Array.from({ length: 4 }, random);
  };
  const before = drawn(words);
  for (let bit = 0; bit < 32; bit++) {
    expect(drawn(words.with(at, (words[at] ?? 0) ^ (1 << bit))), `bit ${bit}`).not.toEqual(before);
  }
  expect(drawn(words)).toEqual(before);
});

test('numbers are spread evenly from 0 to 1, which is not among them', () => {
  reseed([0x1234_5678, 0x9abc_def0, 0x0fed_cba9, 0x8765_4321]);
  const counts = new Array<number>(16).fill(0);
  const draws = 16_000;
  for (let draw = 0; draw < draws; draw++) {
    const at = Math.floor(random() * counts.length);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  expect(counts).toHaveLength(16);
  // The same numbers each time: 1,000 are expected, with a standard deviation of 31.
  for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
});
