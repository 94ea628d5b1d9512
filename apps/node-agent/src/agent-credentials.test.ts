import { pino } from 'pino';
import { expect, test } from 'vitest';
import { AgentCredentials } from './agent-credentials.ts';

const log = pino({ level: 'silent' });
const plain = { name: undefined, ownName: 'a', tlsDir: undefined, token: undefined, insecure: false, log };

test.each(['127.0.0.1:7300', 'localhost:7300', '[::1]:7300'])(
  '%s is this machine: no certificate is asked for',
  async (join) => {
    expect(await AgentCredentials.open({ ...plain, join })).toMatchObject({ name: undefined });
  },
);

test.each([
  '10.0.0.5:7300',
  'coordinator:7300',
  '127.0.0.1.evil.example:7300',
  'localhost.evil.example:7300',
])(
  '%s is another machine: without a certificate it is refused, with the two commands that help',
  async (join) => {
    await expect(AgentCredentials.open({ ...plain, join })).rejects.toMatchObject({
      code: 'INSECURE_CONNECT',
      message: expect.stringMatching(/shoal token create --role agent.*shoal agent --join \S+ --token/),
    });
  },
);

test('insecure allows it, and says so at once', async () => {
  const said: string[] = [];
  const loud = pino({}, { write: (line: string) => void said.push(line) });
  const credentials = await AgentCredentials.open({
    ...plain,
    join: '10.0.0.5:7300',
    insecure: true,
    log: loud,
  });
  credentials.stop();
  expect(said).toEqual([expect.stringContaining('INSECURE: what travels to and from 10.0.0.5:7300')]);
});
