import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { dockerAnswers } from '../../docker/image.ts';
import { canary, expectNoSecret } from '../canary.ts';
import { whatIsTold } from './cluster.testkit.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const name = `shoal-test-${process.pid}`;
const available = await dockerAnswers();

// containers.test.ts says so when there is no Docker daemon, and fails where there has to be one.
describe.skipIf(!available)('npm run cluster:up and cluster:down', () => {
  let port: number;

  beforeAll(async () => {
    port = await freePort();
    await cluster('up', '--agents', '2');
  });
  afterAll(() => cluster('down'));

  test('a coordinator and as many agents as asked for are up, each healthy and not root', async () => {
    const containers = await containerNames();
    expect(containers).toEqual([`${name}_agent_1`, `${name}_agent_2`, `${name}_coordinator_1`]);
    const users = containers.map((each) => output('docker', 'exec', each, 'node', '-p', 'process.getuid()'));
    expect(await Promise.all(users)).toEqual(['1000', '1000', '1000']);
  });

  test('their file systems cannot be written, their processes have no rights of root, and they do their work', async () => {
    const containers = await containerNames();
    for (const container of containers) {
      const facts = '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}}';
      const inspected = await output('docker', 'inspect', '-f', facts, container);
      expect(inspected, container).toBe('true [ALL] [no-new-privileges:true]');
      const write = ['docker', 'exec', container, 'sh', '-c', 'echo x > /home/node/x'] as const;
      await expect(output(...write), container).rejects.toThrow(/[Rr]ead-only/);
    }
    const map = ['libs/shoal/bin/shoal.js', 'map', 'examples/square.ts#square', '--input', '1..40'];
    const at = ['--address', `127.0.0.1:${port}`, '--tls-dir', `.build/clusters/${name}`];
    const squares = Array.from({ length: 40 }, (_, at) => (at + 1) ** 2).join('\n');
    expect(await output(process.execPath, ...map, ...at)).toBe(squares);
  });

  test('the command inside a container finds the cluster', async () => {
    expect(await output('docker', 'exec', `${name}_agent_1`, 'shoal', 'status')).toContain('2 agents');
  });

  test('whoever has the certificate that cluster:up fetched is let in, and nobody else', async () => {
    const at = ['libs/shoal/bin/shoal.js', 'status', '--address', `127.0.0.1:${port}`];
    expect(await output(process.execPath, ...at, '--tls-dir', `.build/clusters/${name}`)).toContain(
      'TLS 1.3',
    );
    await expect(output(process.execPath, ...at)).rejects.toThrow(/TLS_FAILED.*it speaks TLS/);
  });

  test('another agent joins, and SIGTERM lets it leave with exit code 0', async () => {
    await cluster('up', '--agents', '3');
    expect(await output('docker', 'exec', `${name}_coordinator_1`, 'shoal', 'status')).toContain('3 agents');
    await output('docker', 'stop', '--time', '30', `${name}_agent_3`);
    expect(await output('docker', 'inspect', '-f', '{{.State.ExitCode}}', `${name}_agent_3`)).toBe('0');
  });

  test('no secret of theirs, and none among the items, is in what they have said', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-compose-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const input = join(folder, 'items.txt');
    await writeFile(input, `${canary}\n`);
    await writeFile(
      join(folder, 'work.ts'),
      'export const length = (text: string): number => text.length;\n',
    );
    const map = ['libs/shoal/bin/shoal.js', 'map', join(folder, 'work.ts#length'), '--input', input];
    const at = ['--address', `127.0.0.1:${port}`, '--tls-dir', `.build/clusters/${name}`];
    expect(await output(process.execPath, ...map, ...at)).toBe(String(canary.length));
    const coordinator = `${name}_coordinator_1`;
    const files = ['agents/token', 'tls/ca.key', 'tls/coordinator.key', 'tls/client.key'];
    const texts = await Promise.all(files.map((file) => output('docker', 'exec', coordinator, 'cat', file)));
    // Of a token file the secret, of a key a line that is its own.
    const secrets = texts.map((text) => text.split('\n')[1] ?? text.split(' ').at(-1) ?? text);
    for (const container of await containerNames()) {
      expectNoSecret(container, await said(container), [canary, ...secrets]);
    }
    const told = await whatIsTold(coordinator);
    expect(told.find(([by]) => by.endsWith('metrics'))?.[1]).toContain('\nshoal_agents');
    for (const [by, text] of told) expectNoSecret(by, text, [canary, ...secrets]);
  });

  test('after cluster:down nothing is left of it', async () => {
    await cluster('down');
    expect(await containerNames()).toEqual([]);
    expect(await output('docker', 'network', 'ls', '-q', '--filter', `name=${name}`)).toBe('');
  });

  function cluster(...args: string[]): Promise<string> {
    return output('npm', 'run', '--silent', 'cluster', '--', ...args);
  }

  /** All that a container has written to stdout and stderr. */
  async function said(container: string): Promise<string> {
    const { stdout, stderr } = await promisify(execFile)('docker', ['logs', container], {
      maxBuffer: 2 ** 26,
    });
    expect(stdout + stderr, container).toContain('"event"');
    return stdout + stderr;
  }

  async function containerNames(): Promise<string[]> {
    const names = await output('docker', 'ps', '-a', '--filter', `name=${name}`, '--format', '{{.Names}}');
    return names === '' ? [] : names.split('\n').sort();
  }

  async function output(program: string, ...args: string[]): Promise<string> {
    // The compose plugin names containers as docker-compose does when asked to.
    const own = { SHOAL_CLUSTER: name, SHOAL_PORT: String(port), COMPOSE_COMPATIBILITY: '1' };
    const env = { ...process.env, ...own };
    const { stdout } = await promisify(execFile)(program, args, { cwd: root, env });
    return stdout.trim();
  }
});

/** A port of this machine that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
  return address.port;
}
