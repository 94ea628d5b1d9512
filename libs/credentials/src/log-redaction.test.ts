import { pino } from 'pino';
import { expect, test } from 'vitest';
import { CertificateAuthority } from './certificate-authority.ts';
import { logRedaction } from './log-redaction.ts';
import { formatJoinToken, newSecret } from './token.ts';

/** What a log of ours writes of it. */
function written(facts: object, message: string = ''): string {
  const lines: string[] = [];
  const log = pino({ base: null, ...logRedaction }, { write: (line: string) => void lines.push(line) });
  log.info(facts, message);
  return lines.join('');
}

const secret = newSecret();

test.each([
  [{ token: secret }],
  [{ config: { tokens: [secret] } }],
  [{ request: { metadata: { authorization: secret } } }],
  [{ setup: { env: { PASSWORD: secret } } }],
  [{ items: [secret] }],
  [{ batch: { payload: secret } }],
])('a field that may hold a secret is hidden: %j', (facts) => {
  const line = written(facts);
  expect(line).not.toContain(secret);
  expect(line).toContain('[hidden]');
});

test.each([
  ['a token to join with', formatJoinToken({ secret, authority: 'a'.repeat(43) })],
  ['a header', `authorization: Bearer ${secret}`],
])('%s is hidden in any text', (_, text) => {
  const line = written({ event: 'x', reason: text }, `it was ${text}, and more`);
  expect(line).not.toContain(secret);
  expect(JSON.parse(line)).toMatchObject({
    event: 'x',
    msg: expect.stringMatching(/^it was .*\[hidden\].*more$/),
  });
});

test('a private key is hidden in any text', async () => {
  const { key } = await CertificateAuthority.create();
  const line = written({ reason: `bad key ${key}` });
  expect(line).not.toContain(key.split('\n')[1]);
  expect(JSON.parse(line)).toMatchObject({ reason: expect.stringMatching(/^bad key \[hidden\]/) });
});

test('a count or a flag is shown, whatever its field is called', () => {
  const facts = { event: 'agent.lost', items: 12, setup: { env: false }, batch: { last: { item: 7 } } };
  expect(JSON.parse(written(facts))).toMatchObject(facts);
});

test('what is no secret stays as it is', () => {
  const facts = { event: 'agent.joined', agent: 'a', slots: 4 };
  expect(JSON.parse(written(facts, 'agent a joined with 4 slots'))).toMatchObject({
    ...facts,
    msg: 'agent a joined with 4 slots',
  });
});
