import { expect, test } from 'vitest';
import { Refusals } from './refusals.ts';

test('a server is refused for 10 s, then for a minute, then for good', () => {
  const refusals = new Refusals();
  expect(refusals.holds('a', 0)).toBe(false);
  refusals.add('a', 'a thread', 0, false);
  expect([refusals.holds('a', 9_999), refusals.holds('a', 10_000)]).toEqual([true, false]);
  refusals.add('a', 'a thread', 10_000, false);
  expect([refusals.holds('a', 69_999), refusals.holds('a', 70_000)]).toEqual([true, false]);
  refusals.add('a', 'a thread', 70_000, false);
  expect(refusals.holds('a', 1e12)).toBe(true);
  expect(refusals.holds('b', 0)).toBe(false);
});

test('what has died too often is refused for good at once', () => {
  const refusals = new Refusals();
  refusals.add('a', 'it ended by SIGKILL', 0, true);
  expect(refusals.holds('a', 1e12)).toBe(true);
});

test('the reason told is the last one, and none once all servers are at work', () => {
  const refusals = new Refusals();
  refusals.add('a', 'a thread', 0, false);
  refusals.add('b', 'a timer', 0, false);
  refusals.add('a', 'an open socket', 20_000, false);
  expect(refusals.why).toBe('an open socket');
  refusals.lift('a');
  expect([refusals.why, refusals.has('a')]).toEqual(['a timer', false]);
  refusals.lift('b');
  expect(refusals.why).toBeUndefined();
});

test('of more than 256 the oldest is forgotten', () => {
  const refusals = new Refusals();
  for (let i = 0; i <= 256; i++) refusals.add(String(i), 'a thread', 0, true);
  expect([refusals.has('0'), refusals.has('1'), refusals.has('256')]).toEqual([false, true, true]);
});
