import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Command, type Ended, shoalCommand } from './command.testkit.ts';

let folder: string;
const at = (name: string): string => join(folder, name);
const started: Command[] = [];
const start = (args: readonly string[]): Command => {
  const command = Command.start(args);
  started.push(command);
  return command;
};
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-cli-tls-'));
});
afterAll(async () => {
  for (const command of started) command.signal('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe('what starts open to others', () => {
  test('ends with 1 and the two commands that close it', async () => {
    const { exitCode, stdout, stderr } = await shoalCommand(['coordinator', '--listen', '0.0.0.0:0']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(
      /INSECURE_LISTEN.*`shoal certs init .*`shoal coordinator --listen 0\.0\.0\.0:0 --tls-dir/,
    );
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('a token alone does not close it: it would travel as it is', async () => {
    const { stdout } = await shoalCommand(['token', 'generate']);
    await writeFile(at('token'), stdout, { mode: 0o600 });
    const args = ['coordinator', '--listen', '0.0.0.0:0', '--token-file', at('token')];
    expect(await shoalCommand(args)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('INSECURE_LISTEN'),
    });
  });

  test('says so in its log and in its status where --insecure allows it', async () => {
    const open = start(['coordinator', '--listen', '0.0.0.0:0', '--insecure']);
    const [, port = ''] = await open.said(/listening on 0\.0\.0\.0:(\d+)\n/);
    await open.said(/"event":"coordinator\.insecure".*INSECURE: whoever reaches/);
    const ask = (): Promise<Ended> => shoalCommand(['status', '--address', `127.0.0.1:${port}`]);
    let status = await ask();
    // A machine that is busy with other things may not answer a command within the time that it waits.
    for (let tries = 1; status.exitCode === 3 && tries < 5; tries += 1) status = await ask();
    expect(status).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(
        'INSECURE: whoever reaches it can run code on every agent (--insecure)',
      ),
    });
  });
});

describe('certificates and tokens', () => {
  let address = '';
  let coordinator: Command;
  beforeAll(async () => {
    await shoalCommand(['certs', 'init', '--tls-dir', at('tls'), '--name', 'coordinator', 'cluster.example']);
    const http = ['--http', '127.0.0.1:0'];
    coordinator = start(['coordinator', '--listen', '127.0.0.1:0', '--tls-dir', at('tls'), ...http]);
    [, address = ''] = await coordinator.said(/coordinator listening on (\S+)\n/);
  });

  test('doctor looks at this machine, the certificates and the cluster, and says what is not well', async () => {
    const json = ['doctor', '--output-format', 'json', '--tls-dir', at('tls')];
    const { exitCode, stdout } = await shoalCommand([...json, '--address', address]);
    const { findings } = JSON.parse(stdout) as { findings: readonly { what: string; state: string }[] };
    const stateOf = (what: RegExp): string | undefined =>
      findings.find((each) => what.test(each.what))?.state;
    expect({
      exitCode,
      children: stateOf(/^children$/),
      permission: stateOf(/^isolation permission$/),
      forking: stateOf(/^forking$/),
    }).toEqual({
      exitCode: 0,
      children: 'ok',
      permission: 'ok',
      forking: 'ok',
    });
    for (const what of [/ca\.crt$/, /coordinator\.crt$/, /client\.crt$/, /^protection$/])
      expect(stateOf(what)).toBe('ok');
    expect(stateOf(/^agents$/)).toBe('warning');
    const nobody = await shoalCommand(['doctor', '--tls-dir', at('tls'), '--address', '127.0.0.1:1']);
    expect(nobody).toMatchObject({ exitCode: 3, stdout: expect.stringMatching(/BROKEN .*CANNOT_CONNECT/) });
  });

  test('doctor says why children are spawned, where the trial copies of a fork server fail', async () => {
    const script = encodeURIComponent('WebAssembly.compile = () => process.exit(3)');
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${script}` };
    const { exitCode, stdout } = await Command.start(
      ['doctor', '--address', address, '--tls-dir', at('tls')],
      {
        env,
      },
    ).ended;
    expect(exitCode).toBe(0);
    // Where there is no compiler, nothing comes so far as to be tried.
    expect(stdout).toMatch(
      /not to be had, so children are spawned: (a copy of it failed \(exit code 3\)|the fork server was not built)/,
    );
  });

  test('doctor says what a level of isolation lacks here, and breaks where agents are to have it', async () => {
    const image = 'shoal:there-is-no-such-image';
    const asked = ['doctor', '--isolation-image', image];
    const env = { PATH: at('nowhere') };
    const absent = await Command.start([...asked], { env }).ended;
    expect({ exitCode: absent.exitCode, stdout: absent.stdout }).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(
        /^absent +isolation container +not to be had: docker does not answer: .*docker version/m,
      ),
    });
    const wanted = await Command.start([...asked, '--isolation', 'container'], { env }).ended;
    expect({ exitCode: wanted.exitCode, stdout: wanted.stdout }).toEqual({
      exitCode: 1,
      stdout: expect.stringMatching(/^BROKEN +isolation container +not to be had: docker does not answer: /m),
    });
    // Of the levels that nobody asked for none is a fault.
    expect(wanted.stdout.match(/^BROKEN/gm)).toHaveLength(1);
  });

  test('metrics say when the certificates expire, and which limits were reached', async () => {
    const [, url = ''] = await coordinator.said(/metrics on (\S+)\n/);
    const text = await (await fetch(url)).text();
    const [, expires = ''] =
      /certificate_expires_timestamp_seconds\{of="coordinator"\} (\S+)/.exec(text) ?? [];
    expect(Number(expires) * 1000).toBeGreaterThan(Date.now() + 300 * 86_400_000);
    expect(text).toContain('shoal_limits_reached_total{limit="connections"} 0\n');
  });

  test('certs init makes keys for their owner alone; again it keeps the authority and the names', async () => {
    for (const key of ['ca.key', 'coordinator.key', 'client.key'])
      expect(await modeOf(at(`tls/${key}`)), key).toBe(0o600);
    const before = await Promise.all(
      ['ca.crt', 'coordinator.crt'].map((name) => readFile(at(`tls/${name}`), 'utf8')),
    );
    const { exitCode, stdout } = await shoalCommand(['certs', 'init', '--tls-dir', at('tls')]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/the authority that was there, and new certificates/);
    expect(stdout).toMatch(/reached as localhost, .*coordinator, cluster\.example/);
    expect(await readFile(at('tls/ca.crt'), 'utf8')).toBe(before[0]);
    expect(await readFile(at('tls/coordinator.crt'), 'utf8')).not.toBe(before[1]);
  });

  test('an agent joins with a token from a file, a client works with a certificate, a viewer sees it', async () => {
    const admin = ['--address', address, '--tls-dir', at('tls')];
    await shoalCommand(['token', 'create', ...admin, '--ttl', '5m', '--output', at('join')]);
    expect(await modeOf(at('join'))).toBe(0o600);
    const agent = start([
      ...['agent', '--join', address, '--name', 'first', '--processes', '1'],
      ...['--token', at('join'), '--tls-dir', at('agent')],
    ]);
    await agent.said(/agent first joined/);
    await shoalCommand(['certs', 'issue', 'laptop', '--tls-dir', at('tls')]);
    await shoalCommand(['certs', 'issue', 'eve', '--role', 'viewer', '--tls-dir', at('tls')]);
    const map = ['map', 'examples/square.ts#square', '--input', '1..3', '--address', address, '--tls-dir'];
    expect(await shoalCommand([...map, at('tls/issued/laptop')])).toMatchObject({
      stdout: '1\n4\n9\n',
      exitCode: 0,
    });
    expect(await shoalCommand([...map, at('tls/issued/eve')])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('PERMISSION_DENIED: viewer eve may not do this'),
    });
    const { stdout } = await shoalCommand([
      'status',
      '--address',
      address,
      '--tls-dir',
      at('tls/issued/eve'),
    ]);
    expect(stdout).toMatch(/1 agent,.*\nTLS 1\.3, certificate until \d{4}-\d\d-\d\d\n\nAGENT.*\nfirst /);
    const seen = await shoalCommand(['status', '--address', address, '--tls-dir', at('agent')]);
    expect(seen.stdout, 'an agent sees the first lines').toMatch(/1 agent,.*\nTLS 1\.3, .*\n$/);
    const drain = ['agents', 'drain', 'first', '--address', address, '--tls-dir'];
    expect(await shoalCommand([...drain, at('tls/issued/laptop')])).toMatchObject({ exitCode: 1 });
    expect(await shoalCommand([...drain, at('tls')])).toMatchObject({ exitCode: 0 });
  });

  test('a token to join with is listed and taken back by its name', async () => {
    const admin = ['--address', address, '--tls-dir', at('tls')];
    const made = await shoalCommand([
      'token',
      'create',
      ...admin,
      '--name',
      'spare',
      '--output',
      at('spare'),
    ]);
    const [, id = ''] = /shoal token revoke (\w+) takes it back\n$/.exec(made.stderr) ?? [];
    const undelivered = ['token', 'create', ...admin, '--name', 'nobodys', '--output', at('nowhere/x')];
    expect(await shoalCommand(undelivered)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^shoal: FILE_NOT_USABLE: .*nowhere\/x: .*\(--output\)\n$/),
    });
    const { stdout } = await shoalCommand(['token', 'ls', ...admin]);
    expect(stdout, 'one that could not be written opens nothing').not.toContain('nobodys');
    expect(stdout).toMatch(new RegExp(`^TOKEN +ROLE +NAME +EXPIRES IN\n(.*\n)*${id} +agent +spare +1[45]`));
    expect(await shoalCommand(['token', 'revoke', id, ...admin])).toMatchObject({
      exitCode: 0,
      stdout: `token ${id} (agent) opens nothing any more\n`,
    });
    expect(await shoalCommand(['token', 'revoke', id, ...admin])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(`TOKEN_NOT_FOUND: There is no token ${id}`),
    });
  });

  test('a certificate is revoked by its name, and a new one is made for it', async () => {
    const dir = ['--tls-dir', at('tls')];
    const status = ['status', '--address', address, '--tls-dir', at('tls/issued/lost')];
    await shoalCommand(['certs', 'issue', 'lost', ...dir]);
    expect(await shoalCommand(status)).toMatchObject({ exitCode: 0 });
    expect(await shoalCommand(['certs', 'revoke', 'lost', ...dir])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(
        `${at('tls/revoked.txt')}: all certificates of anybody called lost so far are`,
      ),
    });
    await coordinator.said(/certificate\.revoked/);
    expect(await shoalCommand(status)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('its certificate was revoked'),
    });
    const listed = async (...flags: string[]): Promise<string> => {
      const { exitCode, stdout: said } = await shoalCommand(['certs', 'ls', ...dir, ...flags]);
      expect(exitCode).toBe(0);
      return said;
    };
    expect(await listed()).toMatch(
      /^issued\/lost\/client\.crt +client +lost +[0-9A-F]{16,40} +\S+ +revoked$/m,
    );
    await shoalCommand(['certs', 'issue', 'lost', ...dir]);
    expect(JSON.parse(await listed('--output-format', 'json'))).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ file: 'ca.crt', role: 'authority', revoked: false }),
        expect.objectContaining({ file: 'issued/lost/client.crt', name: 'lost', revoked: false }),
      ]),
    );
    const { stdout } = await shoalCommand(status);
    expect(stdout).toMatch(/TLS 1\.3, certificate until \S+, 1 revoked\n/);
  });

  test('no secret of all this was shown by anybody', async () => {
    const token = (await readFile(at('join'), 'utf8')).trim();
    const keys = await Promise.all(
      ['tls/ca.key', 'tls/client.key', 'agent/client.key', 'tls/issued/laptop/client.key'].map((name) =>
        readFile(at(name), 'utf8'),
      ),
    );
    const secrets = [token.split('.')[1] ?? '', ...keys.map((key) => key.split('\n')[1] ?? '')];
    expect(coordinator.stderr).toContain('certificate.issued');
    const shown = started.map(({ stdout, stderr }) => stdout + stderr).join('');
    expect(secrets.filter((secret) => secret.length < 40 || shown.includes(secret))).toEqual([]);
  });

  test.each([
    [['agent', '--join', '10.255.255.1:7300'], /INSECURE_CONNECT.*`shoal token create .*`shoal agent --join/],
    [['status', '--address', '10.255.255.1:7300'], /INSECURE_CONNECT.*`shoal certs issue NAME/],
    [['certs', 'issue', 'a b', '--tls-dir', 'nowhere'], /a b is no name/],
    [['certs', 'issue', 'ann', '--tls-dir', 'nowhere'], /nowhere\/ca\.crt: it does not exist/],
    [['certs', 'ls', '--tls-dir', 'nowhere'], /nowhere\/ca\.crt: it does not exist/],
    [['certs', 'init', '--name', 'https://x'], /--name https:\/\/x is no host name/],
    [['token', 'create', '--ttl', '25h'], /Give 1s to 24h/],
    [['token', 'create', '--role', 'client'], /'client' is invalid\. .*shoal certs issue NAME --role ROLE/],
    [
      ['agent', '--join', '127.0.0.1:1', '--token', `shoal-join.${'a'.repeat(43)}.${'b'.repeat(43)}`],
      /takes the name of a file/,
    ],
  ] as const)('shoal %j is refused with 2, in a line', async (args, words) => {
    const { exitCode, stderr } = await shoalCommand(args);
    expect(stderr).toMatch(words);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(exitCode).toBe(2);
  });

  test('a token file that others can read is refused', async () => {
    await writeFile(at('loose'), 'x', { mode: 0o644 });
    const args = ['status', '--address', address, '--tls-dir', at('tls'), '--token-file', at('loose')];
    expect(await shoalCommand(args)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/others can read this token \(mode 0644\); run: chmod 600/),
    });
  });
});
