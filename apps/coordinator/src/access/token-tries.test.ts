import { expect, test } from 'vitest';
import { triedLimit } from '../../../../test/limit-edges.ts';
import { TokenTries } from './token-tries.ts';

/** How long a peer has to wait, in ms; 0 where it need not. */
function waitOf(tries: TokenTries, peer: string, atMs: number): number {
  for (let waitedMs = 0; ; waitedMs += 1_000) {
    try {
      tries.check(peer, atMs + waitedMs);
      return waitedMs;
    } catch (error) {
      expect(error).toMatchObject({ code: 'TOO_MANY_TRIES', facts: { peer, limitName: 'wrongTokens' } });
    }
  }
}

function wrongTimes(times: number, most: number = 10): TokenTries {
  const tries = new TokenTries(most, 10, () => {});
  for (let time = 0; time < times; time++) tries.wrong('1.2.3.4', 0);
  return tries;
}

test.each([
  [9, 0],
  [10, 1_000],
  [11, 2_000],
  [14, 16_000],
  [18, 256_000],
  [19, 300_000],
  [2_000, 300_000],
])('after %i wrong tokens in a row, of which 10 are free, a peer waits %i ms', (times, waitMs) => {
  expect(waitOf(wrongTimes(times), '1.2.3.4', 0)).toBe(waitMs);
  triedLimit('wrongTokens', times, 10);
});

test('another peer waits for nothing', () => {
  expect(waitOf(wrongTimes(50), '1.2.3.5', 0)).toBe(0);
});

test('a right one makes up for those before it', () => {
  const tries = wrongTimes(9);
  tries.right('1.2.3.4');
  tries.wrong('1.2.3.4', 0);
  expect(waitOf(tries, '1.2.3.4', 0)).toBe(0);
});

test('an hour without a try makes up for them, too', () => {
  const tries = wrongTimes(20);
  tries.wrong('1.2.3.4', 3_600_001);
  expect(waitOf(tries, '1.2.3.4', 3_600_001)).toBe(0);
});

test('it remembers so many peers, those that tried last, and tells of each that it drops', () => {
  let dropped = 0;
  const tries = new TokenTries(1, 3, () => (dropped += 1));
  const seen: (readonly [number, number, number])[] = [];
  for (const peer of [0, 1, 2, 3]) {
    tries.wrong(`peer ${peer}`, 0);
    seen.push([peer + 1, dropped, waitOf(tries, 'peer 0', 0)]);
    triedLimit('wrongTokenPeers', peer + 1, 3);
  }
  expect(seen).toEqual([
    [1, 0, 1_000],
    [2, 0, 1_000],
    [3, 0, 1_000],
    [4, 1, 0],
  ]);
  expect(waitOf(tries, 'peer 1', 0)).toBe(1_000);
  tries.wrong('peer 1', 0);
  expect(dropped, 'one that it knows takes no place').toBe(1);
});
