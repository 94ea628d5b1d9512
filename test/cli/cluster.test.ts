import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RawClient } from '../cluster/raw-client.ts';
import { isAlive } from '../process-life.ts';
import { slack } from '../slack.ts';
import { allGone, Command, ended, marked, shoalCommand, until, withoutProgress } from './command.testkit.ts';

const started: Command[] = [];
const start = (args: readonly string[], options: { input?: string; mark?: string } = {}): Command => {
  const command = Command.start(args, options);
  started.push(command);
  return command;
};
afterAll(() => {
  for (const command of started) command.signal('SIGKILL');
});

let marks = 0;
const newMark = (): string => `${process.pid}-${++marks}`;

async function startDev(mark: string): Promise<{ readonly dev: Command; readonly address: string }> {
  const agents = ['--agents', '2', '--processes', '1', '--start-children', 'spawn'];
  const dev = start(['dev', '--listen', '127.0.0.1:0', ...agents], { mark });
  const [, address = ''] = await dev.said(/listening on (\S+:\d+)/);
  return { dev, address };
}

/** Starts a job whose tasks never end and returns the pids of the children that run them. */
async function startEndlessJob(args: readonly string[], children: number, mark: string) {
  const map = start(['map', 'test/cli/work.ts#spinLoudly', '--input', '1..4', ...args], { mark });
  const pids = await until(
    `${children} children run`,
    () => {
      const found = [...map.stderr.matchAll(/pid=(\d+)[^)]*\) begins/g)].map(([, pid]) => Number(pid));
      return found.length >= children ? found : undefined;
    },
    () => map.stderr,
  );
  return { map, pids };
}

describe('a cluster on this machine', () => {
  const mark = newMark();
  let dev: Command;
  let address: string;
  beforeAll(async () => {
    ({ dev, address } = await startDev(mark));
  });

  test('shoal dev says where it listens and what to try', () => {
    expect(dev.stdout).toContain(`2 agents x 1 process`);
    const told = marked(mark).filter((process) => / agent .* --start-children spawn/.test(process));
    expect(told).toHaveLength(2);
    expect(dev.stdout).toContain(`shoal map examples/square.ts#square --address ${address}`);
  });

  test('100,000 lines in, 100,000 squares out, in order', async () => {
    const numbers = Array.from({ length: 100_000 }, (_, index) => index + 1);
    const { stdout, stderr, exitCode } = await shoalCommand(
      ['map', 'examples/square.ts#square', '--address', address],
      numbers.map((number) => `${number}\n`).join(''),
    );
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    expect(stdout === numbers.map((number) => `${number * number}\n`).join('')).toBe(true);
  });

  test('prints say which agent and process made them', async () => {
    const { stderr } = await shoalCommand([
      'map',
      'test/cli/work.ts#loud',
      '--input',
      '1..2',
      '--address',
      address,
    ]);
    const lines = stderr.trim().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines).toContainEqual(expect.stringMatching(/^\(loud agent-[12] pid=\d+ item=0\) got 1$/));
    expect(lines).toContainEqual(expect.stringMatching(/^\(loud agent-[12] pid=\d+ item=1\) got 2$/));
  });

  test('shoal status lists the agents, for people and for programs', async () => {
    const text = await shoalCommand(['status', '--address', address]);
    expect(text.stdout).toMatch(/2 agents, \d of 2 slots busy/);
    expect(text.stdout).toMatch(/agent-1 +ready +\d\/1/);
    const json = await shoalCommand(['status', '--address', address, '--output-format', 'json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      address,
      cluster: { agents: 2, slots: 2 },
      agents: [
        { name: 'agent-1', state: 'ready', slots: 1 },
        { name: 'agent-2', state: 'ready', slots: 1 },
      ],
    });
  });

  test('a reader that has gone when the agents are listed gets no stack trace', async () => {
    const list = start(['agents', 'ls', '--address', address]);
    list.closeStdout();
    const { stderr, exitCode } = await list.ended;
    expect({ stderr: withoutProgress(stderr), exitCode }).toEqual({ stderr: '', exitCode: 141 });
  });

  test('shoal agents takes an agent out of service and puts it back', async () => {
    const agents = (...args: string[]) => shoalCommand(['agents', ...args, '--address', address]);
    const list = await agents('ls');
    expect(list.exitCode).toBe(0);
    expect(list.stdout).toMatch(
      /^AGENT +STATE +BUSY +HOST +VERSION +ISOLATION +LABELS\nagent-1 +ready +0\/1 .+ process *\nagent-2 +ready /,
    );
    expect(await agents('drain', 'agent-2')).toMatchObject({
      exitCode: 0,
      stdout: 'agent-2 draining, nothing runs\n',
      stderr: '',
    });
    const json = await agents('ls', '--output-format', 'json');
    expect(JSON.parse(json.stdout)).toMatchObject([
      { name: 'agent-1', state: 'ready', slots: 1, labels: {} },
      { name: 'agent-2', state: 'draining', slots: 1, labels: {} },
    ]);
    const prints = await shoalCommand([
      'map',
      'test/cli/work.ts#loud',
      '--input',
      '1..4',
      '--address',
      address,
    ]);
    expect(prints.stderr).not.toContain('agent-2');
    const back = await agents('resume', 'agent-2', '--output-format', 'json');
    expect(JSON.parse(back.stdout)).toMatchObject({ name: 'agent-2', state: 'ready' });
  });

  test('an agent that there is not is named, with the one that was meant; exit code 2', async () => {
    const { stdout, stderr, exitCode } = await shoalCommand([
      'agents',
      'drain',
      'agnet-1',
      '--address',
      address,
    ]);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 });
    expect(stderr).toBe(
      'shoal: AGENT_NOT_FOUND: There is no agent agnet-1. Agents: agent-1, agent-2. Did you mean agent-1?\n',
    );
  });

  test('a bundle gets a name, and a version of it never changes', async () => {
    const push = (label: string, file: string) =>
      shoalCommand(['bundle', 'push', label, file, '--address', address]);
    const first = await push('numbers@1', 'examples/square.ts');
    expect(first.stdout).toMatch(/^numbers@1 [0-9a-f]{64}\n$/);
    expect(await push('numbers@1', 'examples/square.ts'), 'the same again').toEqual(first);
    const other = await push('numbers@1', 'test/cli/work.ts');
    expect(other).toMatchObject({ exitCode: 1, stdout: '' });
    expect(other.stderr).toContain('BUNDLE_EXISTS: Bundle numbers@1 exists with other content');
  });

  test('an error of a task on an agent is told as one line', async () => {
    const args = ['map', 'test/cli/work.ts#notThree', '--input', '1..4', '--address', address];
    const { stdout, stderr, exitCode } = await shoalCommand(args);
    expect({ stdout, exitCode }).toEqual({ stdout: '1\n2\n', exitCode: 1 });
    expect(stderr).toMatch(
      /^shoal: ITEM_THREW: Item 2 failed: TypeError: three is right out \(.*agent-[12].*\n$/,
    );
  });

  test('kill -9 of an agent leaves none of its children', async () => {
    const { map, pids } = await startEndlessJob(['--address', address], 2, newMark());
    const agent = marked(mark).find((each) => each.includes('--name agent-2'));
    const before = pids.filter(isAlive).length;
    process.kill(Number.parseInt(agent ?? '', 10), 'SIGKILL');
    await until('its child is gone', () => (pids.filter(isAlive).length < before ? true : undefined));
    await until('dev says so', () => (dev.stderr.includes('agent-2 ended (SIGKILL)') ? true : undefined));
    map.signal('SIGINT');
    expect((await map.ended).exitCode).toBe(130);
  });

  test('Ctrl-C drains it and leaves nothing', async () => {
    dev.signal('SIGINT');
    expect((await dev.ended).exitCode).toBe(130);
    await allGone(mark);
  });
});

describe('what was started is gone with who started it', () => {
  test('kill -9 of shoal dev ends coordinator, agents and children', async () => {
    const mark = newMark();
    const { dev, address } = await startDev(mark);
    const { map, pids } = await startEndlessJob(['--address', address], 2, newMark());
    dev.signal('SIGKILL');
    await allGone(mark);
    await ended(pids);
    map.signal('SIGKILL');
  });

  test('kill -9 of shoal map ends its children, busy ones too', async () => {
    const mark = newMark();
    const { map, pids } = await startEndlessJob(['--local', '--processes', '2'], 2, mark);
    map.signal('SIGKILL');
    await ended(pids, 2_000 * slack());
    await allGone(mark);
  });

  test('Ctrl-C of shoal map cancels, cleans up and ends with 130', async () => {
    const mark = newMark();
    const { map, pids } = await startEndlessJob(['--local', '--processes', '2'], 2, mark);
    map.signal('SIGINT');
    expect((await map.ended).exitCode).toBe(130);
    await ended(pids);
    await allGone(mark);
  });

  test('Ctrl-C while stdin is silent ends it too', async () => {
    const map = start(['map', 'examples/square.ts#square', '--local']);
    map.type('3\n');
    await map.said(/^9\n/);
    map.signal('SIGINT');
    expect((await map.ended).exitCode).toBe(130);
  });

  test('SIGTERM drains a coordinator and an agent: exit code 0', async () => {
    const coordinator = start(['coordinator', '--listen', '127.0.0.1:0']);
    const [, address = ''] = await coordinator.said(/listening on (\S+:\d+)/);
    const agent = start(['agent', '--join', address, '--name', 'worker', '--processes', '1']);
    await agent.said(/agent worker joined/);
    agent.signal('SIGTERM');
    expect((await agent.ended).exitCode).toBe(0);
    coordinator.signal('SIGTERM');
    expect((await coordinator.ended).exitCode).toBe(0);
    for (const line of coordinator.stderr.trim().split('\n')) {
      expect(JSON.parse(line), 'logs are JSON lines on stderr').toHaveProperty('event');
    }
  });
});

describe('addresses', () => {
  test('a coordinator that is not there: exit code 3', async () => {
    const { stdout, stderr, exitCode } = await shoalCommand(['status', '--address', '127.0.0.1:1']);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 3 });
    expect(stderr).toMatch(
      /^shoal: CANNOT_CONNECT: Cannot reach coordinator 127\.0\.0\.1:1 \(connection refused/,
    );
  });

  test('a coordinator that does not answer: it is said before it is given up', async () => {
    const map = start(['map', 'examples/square.ts#square', '--input', '1..3', '--address', '127.0.0.1:1']);
    await map.said(/shoal: coordinator 127\.0\.0\.1:1 does not answer yet; still trying\./);
    const stoppedAtMs = performance.now();
    map.signal('SIGINT');
    expect((await map.ended).exitCode).toBe(130);
    // It would have been tried for nine seconds more.
    expect(performance.now() - stoppedAtMs).toBeLessThan(4_000 * slack());
  });

  test('G26: --deadline holds while a coordinator does not answer, too, and it is said that it does not: exit code 3', async () => {
    const nowhere = ['--address', '127.0.0.1:1', '--deadline', '1s'];
    const ended = await shoalCommand(['map', 'examples/square.ts#square', '--input', '1..3', ...nowhere]);
    expect(ended).toMatchObject({ exitCode: 3, stdout: '' });
    expect(ended.stderr).toMatch(
      /^shoal: CANNOT_CONNECT: Cannot reach coordinator 127\.0\.0\.1:1 \(connection refused, tried .* in [\d.]+ m?s\)/,
    );
  });

  test('a job that waited until its deadline says for what: exit code 4', async () => {
    const coordinator = start(['coordinator', '--listen', '127.0.0.1:0']);
    const [, address = ''] = await coordinator.said(/listening on (\S+:\d+)/);
    const flags = ['--input', '1..3', '--address', address, '--deadline', '2s'];
    const { exitCode, stderr } = await shoalCommand(['map', 'examples/square.ts#square', ...flags]);
    // On a slow machine the job is not there yet.
    expect(stderr).toMatch(
      /shoal: JOB_DEADLINE: The job did not finish within its deadline of 2 s\. It waited(: 3 items wait and 0 agents are connected\. Start one: shoal agent --join \S+| until coordinator \S+ has taken it)\. Raise --deadline where waiting longer helps\.\n/,
    );
    expect(exitCode).toBe(4);
    coordinator.signal('SIGTERM');
    await coordinator.ended;
  });

  test('the limits of a coordinator are flags of it, and its errors name them', async () => {
    const coordinator = start(['coordinator', '--listen', '127.0.0.1:0', '--max-bundle-bytes', '1KiB']);
    const [, address = ''] = await coordinator.said(/listening on (\S+:\d+)/);
    const { stderr, exitCode } = await shoalCommand([
      'bundle',
      'push',
      'all@1',
      'test/cli/work.ts',
      '--address',
      address,
    ]);
    expect(stderr).toMatch(
      /LIMIT_REACHED: Size of a bundle: \d+ is over the limit of 1024 \(shoal coordinator --max-bundle-bytes\)/,
    );
    expect(exitCode).toBe(1);
    coordinator.signal('SIGTERM');
    await coordinator.ended;
  });

  test('how long a coordinator waits for clients is a flag of it, checked before anything starts', async () => {
    const { stderr, exitCode } = await shoalCommand(['coordinator', '--silent-grace-ms', '0']);
    expect(stderr).toMatch(/USAGE: option '--silent-grace-ms <n>' argument '0' is invalid/);
    expect(exitCode).toBe(2);
    const abrupt = start(['coordinator', '--listen', '127.0.0.1:0', '--ephemeral-grace-ms', '1']);
    const [, address = ''] = await abrupt.said(/listening on (\S+:\d+)/);
    const client = new RawClient(address);
    const bundle = await client.putBundle('export const none = () => 0;');
    const job = await client.createJob(bundle, 'none');
    // Nobody reads it.
    await until('it is given up', () =>
      client.info(job).then(
        () => undefined,
        (error) => /no client was connected to it for 0\.001 s/.test(String(error)) || undefined,
      ),
    );
    client.close();
    abrupt.signal('SIGKILL');
    await abrupt.ended;
  });

  test('a coordinator without agents: the job says what it waits for', async () => {
    const coordinator = start(['coordinator', '--listen', '127.0.0.1:0']);
    const [, address = ''] = await coordinator.said(/listening on (\S+:\d+)/);
    const map = start(['map', 'examples/square.ts#square', '--input', '1..3', '--address', address]);
    await map.said(/the job waits: 3 items wait and 0 agents are connected\. Start one: shoal agent --join/);
    const agent = start(['agent', '--join', address, '--processes', '1']);
    expect(await map.ended).toMatchObject({ exitCode: 0, stdout: '1\n4\n9\n' });
    agent.signal('SIGTERM');
    await agent.ended;
    coordinator.signal('SIGTERM');
    expect((await coordinator.ended).exitCode).toBe(0);
  });

  test('a port in use: a line that names the option', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const { stderr, exitCode } = await shoalCommand(['coordinator', '--listen', `127.0.0.1:${port}`]);
    taken.close();
    expect(stderr).toContain(`ADDRESS_IN_USE: 127.0.0.1:${port} is in use by another process.`);
    expect(exitCode).toBe(1);
  });

  test('metrics are on loopback at the port + 1000; where it is taken, a warning names the option', async () => {
    const [port, holder] = await portBesideTaken();
    const coordinator = ['coordinator', '--listen'];
    const taken = `127.0.0.1:${port + 1_000}`;
    const without = start([...coordinator, `127.0.0.1:${port}`]);
    const asked = start([...coordinator, '127.0.0.1:0', '--http', taken]);
    await without.said(/listening on/);
    await without.said(/"event":"http\.unavailable".*in use by another process.*--http/);
    expect(await asked.ended).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining(`ADDRESS_IN_USE: ${taken} is in use by another process.`),
    });
    without.signal('SIGTERM');
    const { exitCode, stdout } = await without.ended;
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: `coordinator listening on 127.0.0.1:${port}\n`,
    });
    await new Promise((resolve) => holder.close(resolve));
    const served = start([...coordinator, `127.0.0.1:${port}`]);
    await served.said(new RegExp(`metrics on http://${taken}/metrics\n`));
    const ask = async (path: string) => (await fetch(`http://${taken}${path}`)).text();
    expect(await ask('/healthz')).toBe('ok');
    expect(await ask('/metrics')).toContain('shoal_agents 0\n');
    served.signal('SIGTERM');
    expect((await served.ended).exitCode).toBe(0);
  });

  test('metrics that are off are off, and nothing is said of them', async () => {
    const [port, holder] = await portBesideTaken();
    const off = start(['coordinator', '--listen', `127.0.0.1:${port}`, '--http', 'off']);
    await off.said(/listening on/);
    off.signal('SIGTERM');
    const { stdout, stderr } = await off.ended;
    holder.close();
    expect(stdout).toBe(`coordinator listening on 127.0.0.1:${port}\n`);
    expect(stderr).not.toContain('http.unavailable');
  });

  test('an address that others reach is refused without --insecure, with the reason', async () => {
    const { stderr, exitCode } = await shoalCommand(['coordinator', '--listen', '0.0.0.0:0']);
    expect(stderr).toContain(
      'INSECURE_LISTEN: Refused to listen on 0.0.0.0:0: whoever reaches it could run code',
    );
    expect(exitCode).toBe(1);
    const open = start(['coordinator', '--listen', '0.0.0.0:0', '--insecure']);
    await open.said(/listening on/);
    open.signal('SIGTERM');
    expect((await open.ended).exitCode).toBe(0);
  });
});

/** A port that is free, and a server that holds the one where HTTP would be beside it. */
async function portBesideTaken(): Promise<readonly [port: number, holder: Server]> {
  const listen = async (port: number): Promise<Server | undefined> => {
    const server = createServer();
    return new Promise((resolve) => {
      server.once('error', () => resolve(undefined));
      server.listen(port, '127.0.0.1', () => resolve(server));
    });
  };
  for (let tries = 0; tries < 20; tries++) {
    const free = await listen(0);
    const address = free?.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const holder = port <= 64_535 ? await listen(port + 1_000) : undefined;
    await new Promise((resolve) => free?.close(resolve) ?? resolve(undefined));
    if (holder !== undefined) return [port, holder];
  }
  throw new Error('No two ports that are 1,000 apart are free.');
}
