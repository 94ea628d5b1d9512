/**
 * A secret that sings: the same text is a token, a variable, part of every item and of every result, in a cluster as
 * users start one, through everything that can go wrong with a job. It is in what was asked for, and nowhere else: no
 * log at its most talkative, no error, no status, no report of a crash, no argument of a process.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { connect, type MapOptions, type PoolOptions } from 'shoal';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Command, type Ended } from './command.testkit.ts';

/** As long as a token has to be. */
const canary = 'canary7EkYt0Dq3ZbVn5LwXo1RsUjGhPfCmAiKxTyB2';
const work = new URL('canary-work.ts', import.meta.url);
const root = fileURLToPath(new URL('../../', import.meta.url));

let folder: string;
let address: string;
const services: Command[] = [];
const said: { readonly by: string; readonly text: string }[] = [];

const loud = { SHOAL_LOG_LEVEL: 'debug', SHOAL_TOKEN: canary, NODE_DEBUG: '' };

function start(args: readonly string[]): Command {
  const command = Command.start(args, { env: loud });
  services.push(command);
  return command;
}

/** Runs a command of the client. What it was asked for is on stdout, and is not searched where `isAsked`. */
async function run(args: readonly string[], isAsked: boolean, input?: string): Promise<Ended> {
  const command = Command.start([...args, '--address', address], {
    env: loud,
    ...(input === undefined ? {} : { input }),
  });
  const ended = await command.ended;
  said.push({ by: `shoal ${args.join(' ')}`, text: ended.stderr + (isAsked ? '' : ended.stdout) });
  return ended;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-canary-'));
  await writeFile(join(folder, 'token'), canary, { mode: 0o600 });
  const coordinator = start([
    ...['coordinator', '--listen', '127.0.0.1:0', '--token-file', join(folder, 'token')],
    ...['--max-result-bytes', '64KiB', '--http', '127.0.0.1:0'],
  ]);
  [, address = ''] = await coordinator.said(/coordinator listening on (\S+)\n/);
  const agent = start(['agent', '--join', address, '--name', 'nest', '--processes', '2']);
  await agent.said(/agent nest joined/);
});

afterAll(async () => {
  for (const service of services) service.signal('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

const items = Array.from({ length: 6 }, (_, at) => JSON.stringify({ at, text: `${canary} ${at}` })).join(
  '\n',
);

test('what goes well gives it back on stdout, where it was asked for', async () => {
  const { stdout, exitCode } = await run(
    ['map', `${fileURLToPath(work)}#echo`, '--input-format', 'ndjson'],
    true,
    items,
  );
  expect({ exitCode, times: stdout.split(canary).length - 1 }).toEqual({ exitCode: 0, times: 6 });
});

test('what goes wrong is told of without it, as text and as an error object', async () => {
  const failing: readonly (readonly [string, string, PoolOptions & MapOptions])[] = [
    ['throws', 'ITEM_THREW', {}],
    ['dies', 'ITEM_KILLED_CHILD', { retries: 0 }],
    ['bloats', 'RESULT_TOO_LARGE', {}],
    ['returnsFunction', 'VALUE_NOT_PORTABLE', {}],
    ['hangs', 'ITEM_TIMED_OUT', { timeoutMs: 500 }],
    ['missing', 'TASK_EXPORT_MISSING', {}],
  ];
  await using pool = await connect(address, { token: canary, env: { CANARY: canary } });
  const codes = await Promise.all(
    failing.map(async ([name, , options]) => {
      const failure = await pool
        .map(work, [{ at: 0, text: canary }], { export: name, ...options })
        .catch((error: unknown) => error as Error & { code: string });
      said.push({ by: `the error of ${name}`, text: inspect(failure, { depth: 9, showHidden: true }) });
      return (failure as { code: string }).code;
    }),
  );
  expect(codes).toEqual(failing.map(([, code]) => code));
});

test('the command line, its status, doctor and the metrics tell other things', async () => {
  const map = ['map', `${fileURLToPath(work)}#throws`, '--input-format', 'ndjson', '--on-error', 'keep'];
  const { stdout } = await run(map, false, items);
  expect(stdout).toContain('ITEM_THREW');
  const status = await run(['status', '--output-format', 'json'], false);
  await run(['doctor', '--output-format', 'json'], false);
  const [, url = ''] = await (services[0] as Command).said(/metrics on (\S+)\n/);
  said.push({ by: 'the metrics', text: await (await fetch(url)).text() });
  expect(status.stdout).toContain('nest');
});

test('whoever shows a wrong token is told so, and not which', async () => {
  const wrong = canary.replace('canary', 'parrot');
  const refused = await connect(address, { token: wrong }).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(inspect(refused, { depth: 9, showHidden: true })).not.toContain(wrong);
});

test.each([
  ['token', 'create', '--role', `client ${canary}`],
  ['status', '--token-file', `client ${canary}`],
  ['map', `${canary}#square`],
])('typed where a role or a file belongs it is refused, and not repeated (%#)', async (...args) => {
  const { stderr, exitCode } = await run(args, false);
  expect({ exitCode, isNamed: /token/.test(stderr) }).toEqual({ exitCode: 2, isNamed: true });
});

test('no process shows it among its arguments', () => {
  expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain(canary);
});

test('it is in no log, no error, no status, no metric and no report', async () => {
  for (const service of services) service.signal('SIGTERM');
  for (const service of services) {
    const { stdout, stderr } = await service.ended;
    expect(stderr.split('\n').length, 'lines were logged').toBeGreaterThan(3);
    said.push({ by: 'a service', text: stdout + stderr });
  }
  expect(said.length).toBeGreaterThan(9);
  expect(said.filter(({ text }) => text.includes(canary)).map(({ by, text }) => `${by}: ${text}`)).toEqual(
    [],
  );
  const reports = (await readdir(root)).filter((name) =>
    /^report\..*\.json$|^core(\.\d+)?$|\.heapsnapshot$/.test(name),
  );
  expect(reports).toEqual([]);
  expect(await readFile(join(folder, 'token'), 'utf8')).toBe(canary);
});
