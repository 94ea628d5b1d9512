import { expect, test } from 'vitest';
import {
  bearerLine,
  digestOf,
  formatJoinToken,
  newSecret,
  parseBearerTokens,
  parseJoinToken,
  sameDigest,
} from './token.ts';

test('a secret has 256 bits, and no two are alike', () => {
  const secrets = new Set(Array.from({ length: 100 }, newSecret));
  expect(secrets.size).toBe(100);
  for (const secret of secrets) expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
});

test('a token file holds a token a line, each with a role or with all of them', () => {
  const [one, other] = [newSecret(), newSecret()];
  const text = `# ours\n${bearerLine({ secret: one, role: undefined })}\n\n${bearerLine({ secret: other, role: 'viewer' })}\n`;
  expect(parseBearerTokens(text)).toEqual([
    { secret: one, role: undefined },
    { secret: other, role: 'viewer' },
  ]);
});

test.each([
  ['a short word', 'hunter2'],
  ['an unknown role', `boss ${newSecret()}`],
  ['too many words', `client ${newSecret()} x`],
  ['other letters', `${'ü'.repeat(43)}`],
])('a line with %s is refused, and not repeated', (_, line) => {
  expect(() => parseBearerTokens(`\n${line}\n`)).toThrow(/^line 2 is no token/);
  try {
    parseBearerTokens(line);
  } catch (error) {
    expect(String(error)).not.toContain(line);
  }
});

test('a join token is one word that can be read again', () => {
  const token = { secret: newSecret(), authority: newSecret() };
  expect(parseJoinToken(`${formatJoinToken(token)}\n`)).toEqual(token);
  expect(parseJoinToken(newSecret())).toBeUndefined();
  expect(parseJoinToken('shoal-join.short.short')).toBeUndefined();
});

test('digests are compared whole', () => {
  expect(sameDigest(digestOf('a'), digestOf('a'))).toBe(true);
  expect(sameDigest(digestOf('a'), digestOf('b'))).toBe(false);
  expect(sameDigest(digestOf('a'), digestOf('a').subarray(1))).toBe(false);
});
