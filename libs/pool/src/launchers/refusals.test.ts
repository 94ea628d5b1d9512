import { expect, test } from 'vitest';
import { Refusals } from './refusals.ts';

function refuse(refusals: Refusals, name: string, why: string, atMs: number, isFinal: boolean): void {
  refusals.add(name, { key: `key of ${name}`, why, atMs, isFinal });
}

test('a server is refused for 10 s, then for a minute, then for good', () => {
  const refusals = new Refusals();
  expect(refusals.holds('a', 0)).toBe(false);
  refuse(refusals, 'a', 'a thread', 0, false);
  expect([refusals.holds('a', 9_999), refusals.holds('a', 10_000)]).toEqual([true, false]);
  refuse(refusals, 'a', 'a thread', 10_000, false);
  expect([refusals.holds('a', 69_999), refusals.holds('a', 70_000)]).toEqual([true, false]);
  refuse(refusals, 'a', 'a thread', 70_000, false);
  expect(refusals.holds('a', 1e12)).toBe(true);
  expect(refusals.holds('b', 0)).toBe(false);
});

test('one that was killed before it was ready is tried again at once, twice', () => {
  const refusals = new Refusals();
  const kill = (atMs: number): boolean => {
    refusals.add('a', { key: 'key', why: 'it ended by SIGKILL', atMs, isFinal: false, wasKilled: true });
    return refusals.holds('a', atMs);
  };
  expect([kill(0), kill(100), kill(200)]).toEqual([false, false, true]);
  expect(refusals.why('key')).toBe('it ended by SIGKILL');
  // Nobody waits for one that may be killed, too.
  expect(refusals.has('a')).toBe(true);
  expect([refusals.holds('a', 10_199), refusals.holds('a', 10_200)]).toEqual([true, false]);
});

test('what has died too often is refused for good at once', () => {
  const refusals = new Refusals();
  refuse(refusals, 'a', 'it ended by SIGKILL', 0, true);
  expect(refusals.holds('a', 1e12)).toBe(true);
});

test('the reason told is the last one, of all or of a key, and none once all servers are at work', () => {
  const refusals = new Refusals();
  refuse(refusals, 'a', 'a thread', 0, false);
  refuse(refusals, 'b', 'a timer', 0, false);
  refuse(refusals, 'a', 'an open socket', 20_000, false);
  expect([refusals.why(), refusals.why('key of b')]).toEqual(['an open socket', 'a timer']);
  refusals.lift('a');
  expect([refusals.why(), refusals.has('a')]).toEqual(['a timer', false]);
  refusals.lift('b');
  expect([refusals.why(), refusals.why('key of b')]).toEqual([undefined, undefined]);
});

test('of more than 256 the oldest is forgotten', () => {
  const refusals = new Refusals();
  for (let i = 0; i <= 256; i++) refuse(refusals, String(i), 'a thread', 0, true);
  expect([refusals.has('0'), refusals.has('1'), refusals.has('256')]).toEqual([false, true, true]);
});
