import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerCredentials } from '@grpc/grpc-js';
import { formatJoinToken, newSecret } from '@shoal/credentials';
import { ShoalError } from '@shoal/errors';
import { AgentServiceService, createServer, statusOf } from '@shoal/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Command, shoalCommand } from './command.testkit.ts';

const started: Command[] = [];
const start = (...args: readonly string[]): Command => {
  const command = Command.start(args);
  started.push(command);
  return command;
};

const unusedToken = (): string => formatJoinToken({ secret: newSecret(), authority: 'a'.repeat(43) });

describe('an agent of a coordinator', () => {
  let coordinator: Command;
  let address: string;
  beforeAll(async () => {
    coordinator = Command.start(['coordinator', '--listen', '127.0.0.1:0']);
    [, address = ''] = await coordinator.said(/listening on (\S+:\d+)/);
  });
  afterEach(async () => {
    for (const command of started.splice(0)) {
      command.signal('SIGTERM');
      await command.ended;
    }
  });
  afterAll(() => coordinator.signal('SIGKILL'));

  const agent = (name: string, ...args: readonly string[]): Command =>
    start('agent', '--join', address, '--processes', '1', '--name', name, ...args);

  test('it carries labels, and jobs that ask for them run there', async () => {
    const agents = [agent('plain'), agent('fast', '--labels', 'gpu=a100,zone=north')];
    await Promise.all(agents.map((each) => each.said(/joined/)));
    const list = await shoalCommand(['agents', 'ls', '--address', address]);
    expect(list.stdout).toMatch(/^fast +ready .* gpu=a100,zone=north$/m);
    const task = ['map', 'test/cli/work.ts#loud', '--input', '1..4', '--chunk-size', '1'];
    const { stderr, exitCode } = await shoalCommand([...task, '--labels', 'gpu=a100', '--address', address]);
    expect(exitCode).toBe(0);
    expect(stderr.match(/^\(loud fast /gm)).toHaveLength(4);
  });

  test('while its name is taken it keeps saying so, and what to do', async () => {
    await agent('worker').said(/joined/);
    const second = agent('worker');
    await second.said(
      /An agent named worker is connected already\. Give each agent a name of its own: shoal agent --name NAME; and where it has a certificate, a folder of its own: --tls-dir DIR\. Trying again in \d+ ms\.[\s\S]*An agent named worker/,
    );
  });
});

test('a coordinator and its agent outlive whoever reads what they say', async () => {
  const coordinator = Command.start(['coordinator', '--listen', '127.0.0.1:0']);
  coordinator.closeStdout();
  const commands = [coordinator];
  try {
    const [, address = ''] = await coordinator.said(/listening on (\S+:\d+)/);
    const agent = Command.start(['agent', '--join', address, '--processes', '1', '--name', 'unread']);
    commands.push(agent);
    agent.closeStdout();
    agent.closeStderr();
    await coordinator.said(/agent unread joined/);
    const map = ['map', 'test/cli/work.ts#loud', '--input', '1..4', '--address', address];
    const first = await Promise.race([shoalCommand(map), ...commands.map(({ ended }) => ended)]);
    expect(first).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/^\(loud unread /m) });
    agent.signal('SIGTERM');
    expect((await agent.ended).exitCode).toBe(0);
    coordinator.signal('SIGTERM');
    expect((await coordinator.ended).exitCode).toBe(0);
  } finally {
    for (const command of commands) command.signal('SIGKILL');
  }
});

test.each([
  ['--labels', 'gpu', 'Give labels as NAME=VALUE'],
  ['--max-rss-bytes', '1KiB', 'Give bytes, from 1MiB to 1024GiB'],
  ['--labels', '__proto__=x', '"__proto__" is no name of a label'],
  ['--processes', '100000', 'Give a whole number from 1 to 1024.'],
  ['--bundle-cache-bytes', '0', 'Give bytes, from 1KiB'],
])('%s %s is refused before anything starts: exit code 2', async (flag, value, why) => {
  const { stderr, exitCode } = await shoalCommand(['agent', '--join', '127.0.0.1:1', flag, value]);
  expect([stderr, exitCode]).toEqual([expect.stringContaining(why), 2]);
});

test('a folder for bundles that cannot be made is named, with its flag', async () => {
  const args = ['agent', '--join', '127.0.0.1:1', '--bundle-dir', '/proc/nowhere'];
  const { stderr, exitCode } = await shoalCommand(args);
  expect(stderr).toMatch(/FILE_NOT_USABLE: \/proc\/nowhere: ENOENT.*--bundle-dir/);
  expect(exitCode).toBe(2);
});

test.each([
  ['SIGTERM', 0],
  ['SIGINT', 130],
] as const)(
  'an agent that waits with a token for its coordinator ends at %s: exit code %i',
  async (signal, code) => {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-cli-waits-'));
    try {
      await writeFile(join(folder, 'token'), unusedToken(), { mode: 0o600 });
      const files = ['--token', join(folder, 'token'), '--tls-dir', join(folder, 'tls')];
      const agent = start('agent', '--join', '127.0.0.1:1', ...files);
      await agent.said(/Cannot reach.*connection refused, tried (twice|\d+ times) in [1-9].*Trying again/);
      agent.signal(signal);
      const { exitCode, stderr } = await agent.ended;
      expect({ exitCode, stderr }).toEqual({
        exitCode: code,
        stderr: expect.stringContaining('agent.stopped'),
      });
      expect(await readdir(join(folder, 'tls'))).toEqual([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);

test('a folder that its certificate cannot be written to is named before the token is used', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-cli-unwritable-'));
  try {
    await writeFile(join(folder, 'token'), unusedToken(), { mode: 0o600 });
    // Nobody is there who could take the token.
    const args = [
      'agent',
      '--join',
      '127.0.0.1:1',
      '--token',
      join(folder, 'token'),
      '--tls-dir',
      '/proc/no',
    ];
    const { stderr, exitCode } = await shoalCommand(args);
    expect(stderr).toMatch(/FILE_NOT_USABLE: \/proc\/no\/\S+: it cannot be written \(ENOENT\).*--tls-dir/);
    expect(exitCode).toBe(2);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('a coordinator that the agent is too old for: the table of versions, and exit code 1', async () => {
  const versions = 'coordinator 4.1.0 (protocol 4), worker 0.1.0 (speaks protocol 1, needs 4)';
  const refusal = new ShoalError('VERSION_MISMATCH', { versions, outdated: 'worker' });
  const server = createServer([
    {
      definition: AgentServiceService,
      handlers: {
        control: (call: { emit(event: 'error', error: unknown): void }) =>
          call.emit('error', statusOf(refusal)),
        data: () => {},
      },
    },
  ]);
  try {
    const port = await server.listen('127.0.0.1:0', ServerCredentials.createInsecure());
    const { stderr, exitCode } = await shoalCommand(['agent', '--join', `127.0.0.1:${port}`]);
    expect(stderr).toContain(`shoal: VERSION_MISMATCH: ${versions}. Upgrade worker.`);
    expect(exitCode).toBe(1);
  } finally {
    await server.close(0);
  }
});
