import { expect, test } from 'vitest';
import { StartPolicy } from './start-policy.ts';

function policyAfter(
  lives: readonly number[],
  startMs: number = 30,
  isPreloaded: boolean = false,
): StartPolicy {
  const policy = new StartPolicy();
  policy.started('a', startMs);
  for (const life of lives) policy.ended('a', life, isPreloaded);
  return policy;
}
const lives = (count: number, ms: number): number[] => Array<number>(count).fill(ms);

test('children are spawned as long as nothing is measured', () => {
  expect(new StartPolicy().choose('a')).toBe('spawn');
  expect(policyAfter(lives(3, 1)).choose('a')).toBe('spawn');
});

test('forking pays where the first four lives were all shorter than a start', () => {
  expect(policyAfter(lives(4, 29)).choose('a')).toBe('fork');
  expect(policyAfter([29, 29, 29, 30]).choose('a')).toBe('spawn');
  expect(policyAfter([30, ...lives(14, 29)]).choose('a')).toBe('spawn');
});

test('forking pays where sixteen lives were short against a start', () => {
  expect(policyAfter(lives(16, 119)).choose('a')).toBe('fork');
  expect(policyAfter(lives(16, 120)).choose('a')).toBe('spawn');
});

test('a few long lives among short ones change nothing', () => {
  expect(policyAfter([...lives(12, 5), ...lives(4, 9_000)]).choose('a')).toBe('fork');
});

test('what was forked is spawned again only when lives have become long, not at the first doubt', () => {
  expect(policyAfter([...lives(16, 5), ...lives(16, 200)]).choose('a')).toBe('fork');
  expect(policyAfter([...lives(16, 5), ...lives(16, 300)]).choose('a')).toBe('spawn');
});

test('with preloading, the time that a life spends on loading does not count against it', () => {
  expect(policyAfter(lives(16, 500), 30, true).choose('a')).toBe('fork');
  expect(policyAfter(lives(16, 500), 30, false).choose('a')).toBe('spawn');
});

test('what one key is measured at says nothing of another', () => {
  expect(policyAfter(lives(16, 5)).choose('b')).toBe('spawn');
});

test('a key is forgotten when there are too many others, and measured again', () => {
  const policy = policyAfter(lives(16, 5));
  for (let i = 0; i < 256; i++) policy.started(`other ${i}`, 30);
  expect(policy.choose('a')).toBe('spawn');
});
