import { formatJoinToken, newSecret } from '@shoal/credentials';
import { expect, test } from 'vitest';
import { refuseTypedToken } from './typed-token.ts';

// One that chance could not have made without a digit.
const bearer = `aB3${newSecret().slice(3)}`;

test.each([bearer, formatJoinToken({ secret: newSecret(), authority: newSecret() })])(
  'a token is refused and not repeated (%#)',
  (token) => {
    const refusal = expect(() => refuseTypedToken(token, '--tls-dir', 'the name of a folder'));
    refusal.toThrow(/^(?!.*shoal-join)(?!.*aB3).*--tls-dir takes the name of a folder, not the token/);
  },
);

test.each(['token', 'shoal-join', '/run/secrets/a', `rack-${'b'.repeat(40)}-1`, 'A'.repeat(43)])(
  'the name %s is none',
  (name) => {
    expect(() => refuseTypedToken(name, '--token-file')).not.toThrow();
  },
);
