import { X509Certificate } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect as connectPool } from '@shoal/client';
import { type CertifiedIdentity, TlsFolder } from '@shoal/credentials';
import {
  type GetStatusRequest,
  type GetStatusResponse,
  type ListAgentsRequest,
  type ListAgentsResponse,
  ownPeer,
} from '@shoal/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startLink } from './broken-link.ts';
import { unary } from './raw-client.ts';
import { TestCluster, until } from './test-cluster.ts';
import { TlsFiles } from './tls-files.testkit.ts';

const dayMs = 86_400_000;
const laptop: CertifiedIdentity = { name: 'laptop', role: 'client' };

/** What a promise rejected with. */
async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string; facts?: unknown }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('It did not reject.');
}

let files: TlsFiles;
beforeAll(async () => {
  files = await TlsFiles.make();
});
afterAll(() => files.remove());

describe('a coordinator with certificates', () => {
  const cluster = new TestCluster();
  let address: string;
  const attempt = async (
    tls: object | boolean | undefined,
    where = address,
  ): Promise<Error & { code?: string }> =>
    rejection(connectPool(where, { connectTimeoutMs: 2_000, ...(tls === undefined ? {} : { tls }) }));

  beforeAll(async () => {
    await cluster.listen({ tlsDir: files.folder.path });
    ({ address } = cluster.coordinator);
  });
  afterAll(() => cluster.stop());

  test('plain text to its port is told as such', async () => {
    expect(await attempt(undefined)).toMatchObject({
      code: 'TLS_FAILED',
      message: expect.stringContaining('it speaks TLS, and this side did not'),
    });
  });

  test('a caller that trusts another authority sends it nothing', async () => {
    const other = await TlsFiles.make();
    expect(await attempt({ ca: other.authority.cert })).toMatchObject({
      code: 'TLS_FAILED',
      message: expect.stringContaining('not signed by the authority that is trusted here'),
    });
    await other.remove();
  });

  test('a caller that trusts what Node trusts does not trust it', async () => {
    expect(await attempt(true)).toMatchObject({ code: 'TLS_FAILED' });
  });

  test('a caller without certificate and token is told what to show', async () => {
    expect(await attempt({ ca: files.authority.cert })).toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.stringMatching(/neither a certificate nor a token.*shoal certs issue/),
    });
  });

  test('a caller whose certificate another authority signed is nobody, whatever it says', async () => {
    const other = await TlsFiles.make();
    const { cert, key } = await other.identity({ name: 'mallory', role: 'admin' });
    expect(await attempt({ ca: files.authority.cert, cert, key })).toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.stringContaining('signed by another authority'),
    });
    await other.remove();
  });

  test('a caller whose certificate has expired is told so', async () => {
    const expired = await files.identity(laptop, { nowMs: Date.now() - 3 * dayMs, lifetimeMs: dayMs });
    expect(await attempt(expired)).toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.stringContaining('its certificate has expired'),
    });
  });

  test("the coordinator's own certificate opens nothing", async () => {
    const [cert, key] = await Promise.all([
      files.folder.read('coordinator'),
      files.folder.read('coordinatorKey'),
    ]);
    expect(await attempt({ ca: files.authority.cert, cert, key })).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('a client with a certificate is let in, by paths as well as by PEM', async () => {
    const { ca, cert, key } = await files.identity(laptop);
    await files.folder.write('client', cert);
    await files.folder.write('clientKey', key);
    const paths = {
      ca: files.folder.pathOf('authority'),
      cert: files.folder.pathOf('client'),
      key: files.folder.pathOf('clientKey'),
    };
    await (await connectPool(address, { tls: { ca, cert, key } })).terminate();
    await (await connectPool(address, { tls: paths })).terminate();
    await chmod(paths.key, 0o640);
    expect(await attempt(paths)).toMatchObject({
      code: 'FILE_NOT_USABLE',
      message: `${paths.key}: others can read this key (mode 0640); run: chmod 600 ${paths.key}.`,
    });
    await chmod(paths.key, 0o600);
  });

  test('a certificate with the key of another one is told by both names, before anything is sent', async () => {
    const [one, other] = [await files.identity(laptop), await files.identity(laptop)];
    await files.folder.write('clientKey', one.key);
    const key = files.folder.pathOf('clientKey');
    expect(await attempt({ ca: one.ca, cert: one.cert, key: other.key })).toMatchObject({
      code: 'FILE_NOT_USABLE',
      message: expect.stringMatching(/^tls\.cert: it does not fit its key, tls\.key;/),
    });
    expect(await attempt({ ca: one.ca, cert: other.cert, key })).toMatchObject({
      code: 'FILE_NOT_USABLE',
      message: `tls.cert: it does not fit its key, ${key}; give the two that were made together.`,
    });
  });

  test('its status says that it is encrypted, and until when', async () => {
    const client = cluster.connect(await files.identity({ name: 'watch', role: 'viewer' }));
    const { protection } = await unary<GetStatusRequest, GetStatusResponse>(
      (request, done) => client.cluster.getStatus(request, done),
      { client: ownPeer },
    );
    expect(protection).toMatchObject({ encrypted: true, authenticated: true, insecure: false });
    expect(protection?.certificateExpiresUnixMs).toBeGreaterThan(Date.now() + 300 * dayMs);
  });

  test('of each agent it knows until when its certificate is good', async () => {
    const tlsDir = await files.agentFolder('certified', { lifetimeMs: 20 * dayMs });
    const agent = await cluster.agent({ name: 'certified', tlsDir, processes: 1 });
    const client = cluster.connect(await files.identity({ name: 'watch', role: 'viewer' }));
    const { agents } = await unary<ListAgentsRequest, ListAgentsResponse>(
      (request, done) => client.cluster.listAgents(request, done),
      { pageToken: '', groupId: '' },
    );
    const untilMs = agents.find(({ name }) => name === 'certified')?.certificateExpiresUnixMs ?? 0;
    expect(Math.abs(untilMs - Date.now() - 20 * dayMs)).toBeLessThan(dayMs);
    await agent.close({ drain: false });
  });

  test('TLS 1.2 is refused', async () => {
    const { connect } = await import('node:tls');
    const [host, port] = address.split(':');
    const refused = await new Promise<Error>((resolve, reject) => {
      const socket = connect({ host, port: Number(port), rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
      socket.once('error', resolve);
      socket.once('secureConnect', () => reject(new Error(`it spoke ${socket.getProtocol()}`)));
    });
    expect(refused.message).toMatch(/protocol version/i);
  });
});

describe('a certificate of a client', () => {
  const cluster = new TestCluster();
  afterAll(() => cluster.stop());

  test('that is issued again while it runs is shown from its next connection on, and no stream is dropped', async () => {
    await cluster.listen({ tlsDir: files.folder.path, certificateCheckMs: 20 });
    await cluster.agent({ tlsDir: await files.agentFolder('agent-1'), processes: 1 });
    const own = new TlsFolder(join(files.folder.path, 'issued', 'laptop'));
    await own.write('authority', files.authority.cert);
    const first = await files.identity(laptop);
    await own.writePair('client', first);
    const link = await startLink(cluster.coordinator.address);
    onTestFinished(() => link.close());
    const tls = {
      ca: own.pathOf('authority'),
      cert: own.pathOf('client'),
      key: own.pathOf('clientKey'),
    };
    await using pool = await connectPool(link.address, { tls });
    const gate = join(own.path, 'gate');
    const results = pool.imap(
      async ([x, file]: readonly [number, string | undefined]) => {
        const { existsSync } = process.getBuiltinModule('node:fs');
        while (file !== undefined && !existsSync(file)) await new Promise((done) => setTimeout(done, 10));
        return x;
      },
      [
        [0, undefined],
        [1, gate],
      ],
      { chunkSize: 1 },
    );
    expect((await results.next()).value).toBe(0);
    await own.writePair('client', await files.identity(laptop));
    link.breakAll();
    // Whoever still showed the first one would be told so now, in the middle of his stream.
    await files.folder.revoked.add([{ serial: new X509Certificate(first.cert).serialNumber }]);
    await until('it is revoked', () => cluster.events('certificate.revoked').length === 1);
    await writeFile(gate, '');
    expect(await results.next()).toMatchObject({ value: 1 });
    expect(await results.next()).toMatchObject({ done: true });
    expect(await pool.map((x: number) => x + 1, [1])).toEqual([2]);
  });
});

describe('certificates of the coordinator', () => {
  let cluster: TestCluster;
  beforeEach(() => {
    cluster = new TestCluster();
  });
  afterEach(() => cluster.stop());

  test.each([
    [
      'has expired',
      ['127.0.0.1'],
      { nowMs: Date.now() - 3 * dayMs, lifetimeMs: dayMs },
      /its certificate has expired/,
    ],
    [
      'is for another host',
      ['elsewhere'],
      {},
      /its certificate is not for 127\.0\.0\.1, but for elsewhere.*--name/,
    ],
  ])('one that %s is refused by the caller, in plain words', async (_, hosts, validity, words) => {
    const bad = await TlsFiles.make();
    await bad.writeCoordinator(hosts, validity);
    await cluster.listen({ tlsDir: bad.folder.path });
    const tls = await bad.identity(laptop);
    const error = await rejection(connectPool(cluster.coordinator.address, { tls, connectTimeoutMs: 2_000 }));
    expect(error).toMatchObject({ code: 'TLS_FAILED', message: expect.stringMatching(words) });
    await bad.remove();
  });

  test.each(['127.1', '0x7f.0.0.1', '2130706433'])(
    'none is taken for %s, which is an address that not everybody reads alike',
    async (host) => {
      const other = await TlsFiles.make();
      onTestFinished(() => other.remove());
      await other.writeCoordinator(['*.0.0.1']);
      await cluster.listen({ tlsDir: other.folder.path });
      const tls = await other.identity(laptop);
      const address = cluster.coordinator.address.replace('127.0.0.1', host);
      const error = await rejection(connectPool(address, { tls, connectTimeoutMs: 2_000 }));
      expect(error).toMatchObject({
        code: 'TLS_FAILED',
        message: expect.stringMatching(/neither a name nor an address.*Write the four numbers/),
      });
    },
  );

  test('TLS to a port without it is told as such', async () => {
    await cluster.listen();
    const tls = await files.identity(laptop);
    const error = await rejection(connectPool(cluster.coordinator.address, { tls, connectTimeoutMs: 2_000 }));
    expect(error).toMatchObject({ code: 'TLS_FAILED', message: expect.stringContaining('speaks no TLS') });
  });

  test('one that is replaced is used for new connections, and those that are open go on', async () => {
    const own = await TlsFiles.make();
    await cluster.listen({ tlsDir: own.folder.path, certificateCheckMs: 20 });
    const { address } = cluster.coordinator;
    await cluster.agent({ tlsDir: await own.agentFolder('agent-1') });
    const tls = await own.identity(laptop);
    await using pool = await connectPool(address, { tls });
    const gate = join(own.folder.path, 'gate');
    const results = pool.imap(
      async ([x, file]: readonly [number, string | undefined]) => {
        const { existsSync } = process.getBuiltinModule('node:fs');
        while (file !== undefined && !existsSync(file)) await new Promise((done) => setTimeout(done, 10));
        return x;
      },
      [
        [0, undefined],
        [1, gate],
        [2, gate],
      ],
      { chunkSize: 1 },
    );
    expect((await results.next()).value).toBe(0);
    await own.writeCoordinator(['127.0.0.1', 'renewed']);
    await until(
      'the new certificate is read',
      () => cluster.logged.filter(({ event }) => event.startsWith('certificate.')),
      (seen) => seen.some(({ event }) => event === 'certificate.replaced'),
    );
    const { connect } = await import('node:tls');
    const [host, port] = address.split(':');
    const names = await new Promise<string | undefined>((resolve, reject) => {
      const socket = connect({ host, port: Number(port), ca: own.authority.cert, ALPNProtocols: ['h2'] });
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('It was closed before it was greeted.')));
      socket.once('secureConnect', () => {
        resolve(socket.getPeerCertificate().subjectaltname);
        socket.destroy();
      });
    });
    expect(names).toContain('renewed');
    await writeFile(gate, '');
    const rest: unknown[] = [];
    for await (const value of results) rest.push(value);
    expect(rest).toEqual([1, 2]);
    expect(cluster.events('agent.disconnected')).toEqual([]);
    expect(cluster.events('certificate.refused'), 'one half of the pair is never taken for both').toEqual([]);
    await own.remove();
  });

  test('one that cannot be used is told once, and the earlier one stays', async () => {
    const own = await TlsFiles.make();
    await cluster.listen({ tlsDir: own.folder.path, certificateCheckMs: 20 });
    const other = await TlsFiles.make();
    await own.folder.write('coordinatorKey', await other.folder.read('coordinatorKey'));
    await until(
      'it is told',
      () => cluster.events('certificate.refused').length,
      (seen) => seen > 0,
    );
    const tls = await own.identity(laptop);
    await (await connectPool(cluster.coordinator.address, { tls })).terminate();
    expect(cluster.events('certificate.refused')).toHaveLength(1);
    await Promise.all([own.remove(), other.remove()]);
  });

  test('where the authority ends, and all certificates with it, another one is asked for', async () => {
    const own = await TlsFiles.make(Date.now() - 3_647 * dayMs);
    await cluster.listen({ tlsDir: own.folder.path });
    expect(cluster.events('certificate.expiring')).toEqual([
      expect.objectContaining({
        msg: expect.stringMatching(/ca\.crt expires in \S+ days; .*make a new authority/),
      }),
    ]);
    await own.remove();
  });

  test('an expiry within a week is warned of at the start', async () => {
    const own = await TlsFiles.make();
    await own.writeCoordinator(['127.0.0.1'], { lifetimeMs: 6 * dayMs });
    await cluster.listen({ tlsDir: own.folder.path });
    expect(cluster.events('certificate.expiring')).toEqual([
      expect.objectContaining({
        msg: expect.stringMatching(/coordinator\.crt expires in .*shoal certs init/),
      }),
    ]);
    await own.remove();
  });
});
