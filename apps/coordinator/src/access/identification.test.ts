import { formatJoinToken, newSecret, RevocationList } from '@shoal/credentials';
import { expect, test } from 'vitest';
import { Identification } from './identification.ts';
import type { Identity } from './identity.ts';

const [all, viewing] = [newSecret(), newSecret()];
const identification = new Identification([
  { secret: all, role: undefined },
  { secret: viewing, role: 'viewer' },
]);
const laptop = { subject: { O: 'shoal', OU: 'client', CN: 'laptop' } };
const bearer = (token: string): string => `Bearer ${token}`;
const identify = (authorization?: string, certificate?: typeof laptop | { problem: string }) =>
  identification.identify({ authorization, certificate });

test('a certificate says who its holder is', () => {
  expect(identify(undefined, laptop)).toEqual({
    id: 'client laptop',
    name: 'laptop',
    roles: new Set(['client']),
    words: 'client laptop',
  });
});

test('a token without a role opens everything, one with a role what that may', () => {
  expect(identify(bearer(all))).toMatchObject({
    name: undefined,
    roles: new Set(['client', 'agent', 'viewer', 'admin']),
  });
  expect(identify(bearer(viewing))).toMatchObject({ roles: new Set(['viewer']) });
});

test('what a bearer owns stays his when another token is taken out of the file', () => {
  const own = new Identification([
    { secret: all, role: undefined },
    { secret: viewing, role: 'viewer' },
  ]);
  const idOf = () =>
    (own.identify({ authorization: bearer(viewing), certificate: undefined }) as Identity).id;
  const before = idOf();
  own.replaceTokens([{ secret: viewing, role: 'viewer' }]);
  expect(idOf()).toBe(before);
});

test('somebody who was let in is lost when his token is taken out, or his certificate revoked', () => {
  let list = new RevocationList();
  const own = new Identification([{ secret: all, role: undefined }], () => list);
  const certificate = { ...laptop, serial: '4A'.repeat(16), validFromMs: 5 };
  const both = own.identify({ authorization: bearer(all), certificate }) as Identity;
  expect(own.lost(both)).toBeUndefined();
  list = new RevocationList([{ name: 'laptop', role: 'client', untilMs: 5 }]);
  expect(own.lost(both)).toMatchObject({ message: expect.stringContaining('its certificate was revoked') });
  expect(own.identify({ authorization: undefined, certificate })).toMatchObject({ code: 'UNAUTHENTICATED' });
  list = new RevocationList();
  own.replaceTokens([{ secret: viewing, role: undefined }]);
  expect(own.lost(both)).toMatchObject({ message: expect.stringContaining('its token was taken out') });
});

test.each([
  ['a caller', { O: 'shoal', OU: 'client', CN: 'laptop' }],
  // A server's own names no caller, so that a token beside it says who calls; its number may be on the list all the same.
  ['a coordinator', { O: 'shoal', CN: 'one' }],
])('a revoked certificate of %s is refused, whatever token comes with it', (_, subject) => {
  const certificate = { subject, serial: '4A'.repeat(16), validFromMs: 5 };
  const tokens = [{ secret: all, role: undefined }];
  const good = new Identification(tokens);
  const own = new Identification(tokens, () => new RevocationList([{ serial: certificate.serial }]));
  expect(good.identify({ authorization: bearer(all), certificate })).toMatchObject({
    roles: new Set(['client', 'agent', 'viewer', 'admin']),
  });
  for (const authorization of [bearer(all), bearer(newSecret()), 'Basic YTpi', undefined]) {
    expect(own.identify({ authorization, certificate })).toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.stringContaining('its certificate was revoked'),
    });
  }
});

test('whoever shows both has the name of the one and the roles of both', () => {
  expect(identify(bearer(viewing), laptop)).toMatchObject({
    id: 'client laptop',
    roles: new Set(['client', 'viewer']),
  });
});

test.each([
  ['nothing', undefined, undefined, 'neither a certificate nor a token'],
  ['another token', bearer(newSecret()), undefined, 'its token is none of this coordinator'],
  [
    'another token beside a good certificate',
    bearer(newSecret()),
    laptop,
    'its token is none of this coordinator',
  ],
  ['no bearer token', 'Basic YTpi', undefined, 'is no bearer token'],
  [
    'a token to join with',
    bearer(formatJoinToken({ secret: newSecret(), authority: newSecret() })),
    undefined,
    'a token to join with',
  ],
  ['an expired certificate', undefined, { problem: 'CERT_HAS_EXPIRED' }, 'its certificate has expired'],
  [
    'a foreign certificate',
    undefined,
    { problem: 'SELF_SIGNED_CERT_IN_CHAIN' },
    'signed by another authority',
  ],
  ["a server's certificate", undefined, { problem: 'INVALID_PURPOSE' }, 'one for servers'],
  ['a certificate that is bad in a new way', undefined, { problem: 'WHATEVER' }, 'is not good (WHATEVER)'],
  ['a certificate without a role', undefined, { subject: { O: 'shoal', CN: 'x' } }, 'names no role'],
] as const)('%s makes nobody known, and the reason is said', (_, authorization, certificate, reason) => {
  const found = identification.identify({ authorization, certificate });
  expect(found).toMatchObject({ code: 'UNAUTHENTICATED', message: expect.stringContaining(reason) });
});

test('a token is in no error', () => {
  const secret = newSecret();
  expect(JSON.stringify(identify(bearer(secret)))).not.toContain(secret);
});
