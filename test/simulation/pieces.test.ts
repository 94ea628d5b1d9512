import { expect, test } from 'vitest';
import { Clock } from './clock.ts';
import { scenarioOf } from './generate.ts';
import { Random } from './random.ts';
import { shrunk } from './shrink.ts';

test('what is due happens in the order of its time, and of two at once the one that was asked for first', () => {
  const clock = new Clock();
  const happened: string[] = [];
  clock.after(5, () => happened.push(`b at ${clock.nowMs}`));
  clock.after(5, () => happened.push(`c at ${clock.nowMs}`));
  clock.after(1, () => {
    happened.push(`a at ${clock.nowMs}`);
    clock.after(4, () => happened.push(`d at ${clock.nowMs}`));
  });
  clock.after(2, () => happened.push('never')).cancelled = true;
  while (clock.step(5));
  expect(happened).toEqual(['a at 1', 'b at 5', 'c at 5', 'd at 5']);
});

test('nothing that is due later happens before', () => {
  const clock = new Clock();
  clock.after(5, () => expect.unreachable());
  expect(clock.step(4)).toBe(false);
});

test('equal seeds give equal numbers; another stream of the same seed gives others, spread evenly', () => {
  const numbers = (random: Random): number[] => Array.from({ length: 1_000 }, () => random.next());
  const some = numbers(new Random(7, 'a'));
  expect(numbers(new Random(7, 'a'))).toEqual(some);
  expect(numbers(new Random(7, 'b'))).not.toEqual(some);
  expect(numbers(new Random(8, 'a'))).not.toEqual(some);
  expect(some.reduce((sum, each) => sum + each, 0) / 1_000).toBeCloseTo(0.5, 1);
});

test('equal seeds give equal scenarios', () => {
  expect(scenarioOf(5)).toEqual(scenarioOf(5));
  expect(scenarioOf(5)).not.toEqual(scenarioOf(6));
});

test('a scenario is shrunk to what it takes to fail', () => {
  const full = scenarioOf(26);
  const small = shrunk(full, ({ jobs }) => jobs.some(({ items }) => items >= 2));
  expect(small).toMatchObject({ agents: [{ name: 'agent-1' }], faults: [], jobs: [expect.anything()] });
  expect(small.jobs[0]?.items).toBeLessThan(4);
});
