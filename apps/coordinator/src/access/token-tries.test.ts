import { expect, test } from 'vitest';
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
  const tries = new TokenTries(most);
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
])(
  'after %i wrong tokens in a row, of which 10 are free, a peer waits %i ms (edges of wrongTokens)',
  (times, waitMs) => {
    expect(waitOf(wrongTimes(times), '1.2.3.4', 0)).toBe(waitMs);
  },
);

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

test('it remembers 10,000 peers, those that tried last', () => {
  const tries = new TokenTries(1);
  for (let peer = 0; peer < 10_001; peer++) tries.wrong(`peer ${peer}`, 0);
  expect(waitOf(tries, 'peer 0', 0)).toBe(0);
  expect(waitOf(tries, 'peer 1', 0)).toBe(1_000);
});
