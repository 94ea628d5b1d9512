/** How a token is compared with those that count: digest by digest, each in full, whichever fits. */
import { digestOf, newSecret } from '@shoal/credentials';
import { beforeEach, expect, test, vi } from 'vitest';
import { Identification } from './identification.ts';

const compared = vi.hoisted((): (readonly [Uint8Array, Uint8Array])[] => []);
vi.mock('node:crypto', async (original) => {
  const crypto = await original<typeof import('node:crypto')>();
  return {
    ...crypto,
    timingSafeEqual: (one: Uint8Array, other: Uint8Array): boolean => {
      compared.push([one, other]);
      return crypto.timingSafeEqual(one, other);
    },
  };
});
beforeEach(() => {
  compared.length = 0;
});

const secrets = [newSecret(), newSecret(), newSecret()];
const identification = new Identification(secrets.map((secret) => ({ secret, role: undefined })));
const [first = '', middle = '', last = ''] = secrets;

test.each([
  ['the first', first],
  ['the middle one', middle],
  ['the last', last],
  ['none of them', newSecret()],
  ['none, and agrees with the first in all but its last letter', `${first.slice(0, -1)}~`],
  ['none, and is shorter', first.slice(0, 5)],
  ['none, and is longer', `${last}${last}`],
])('a token that is %s is compared with all of them in constant time, as a digest', (_, token) => {
  const found = identification.identify({ authorization: `Bearer ${token}`, certificate: undefined });
  expect('roles' in found).toBe(secrets.includes(token));
  const shown = digestOf(token);
  const pairs = secrets.map((secret) => [digestOf(secret), shown]);
  expect(compared.map((pair) => pair.map((bytes) => Buffer.from(bytes)))).toEqual(pairs);
  for (const pair of compared) for (const bytes of pair) expect(bytes.byteLength).toBe(32);
});
