import { PassThrough } from 'node:stream';
import { formatJoinToken, newSecret } from '@shoal/credentials';
import { expect, test } from 'vitest';
import { run } from './main.ts';
import { refuseTypedToken } from './typed-token.ts';

// One that chance could not have made without a digit.
const bearer = `aB3${newSecret().slice(3)}`;

test.each([
  bearer,
  `client ${bearer}`,
  ` agent  ${bearer}\n`,
  formatJoinToken({ secret: newSecret(), authority: newSecret() }),
])('a token is refused and not repeated (%#)', (token) => {
  const refusal = expect(() => refuseTypedToken(token, '--tls-dir', 'the name of a folder'));
  refusal.toThrow(/^(?!.*shoal-join)(?!.*aB3).*--tls-dir takes the name of a folder, not the token/);
});

test.each(['token', 'shoal-join', '/run/secrets/a', `rack-${'b'.repeat(40)}-1`, 'A'.repeat(43), 'my folder'])(
  'the name %s is none',
  (name) => {
    expect(() => refuseTypedToken(name, '--token-file')).not.toThrow();
  },
);

test.each([
  ['status', '--token-file', `client ${bearer}`],
  ['status', '--tls-dir', bearer],
  ['status', '--address', bearer],
  [bearer],
  ['agent', '--join', bearer],
  ['map', bearer],
  ['map', `${bearer}#x`],
  ['certs', 'issue', bearer],
  ['certs', 'revoke', `client ${bearer}`],
  ['token', 'revoke', `client ${bearer}`],
  ['token', 'create', '--ttl', bearer],
  ['token', 'create', '--role', `agent ${bearer}`],
  ['token', 'create', '--name', bearer],
  ['token', 'create', `--output=${bearer}`],
  ['token', 'generate', '--output', `client ${bearer}`],
  ['certs', 'init', '--name', bearer],
  ['certs', 'issue', 'zoe', '--output', bearer],
  ['agent', '--join', '127.0.0.1:1', '--name', bearer],
  ['replay', bearer],
])(
  'a token that is typed where something else belongs is told as such, and not repeated (%#)',
  async (...args) => {
    const said: string[] = [];
    const stream = new PassThrough().on('data', (text) => void said.push(String(text)));
    const terminal = { stdin: new PassThrough(), stdout: stream, stderr: stream, env: {}, self: [] };
    expect(await run(['node', 'shoal', ...args], terminal)).toBe(2);
    expect(said.join('')).toMatch(/token/);
    expect(said.join('')).not.toContain(bearer);
  },
);
