import { once } from 'node:events';
import { chmod, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { connect as connectPool } from '@shoal/client';
import { bearerLine, certificateFacts, createCertificateRequest, newSecret } from '@shoal/credentials';
import { type Agent, startAgent } from '@shoal/node-agent';
import {
  type CreateJoinTokenRequest,
  type CreateJoinTokenResponse,
  type GetStatusRequest,
  type GetStatusResponse,
  type ListAgentsRequest,
  type ListAgentsResponse,
  type ListJoinTokensRequest,
  type ListJoinTokensResponse,
  ownPeer,
  type RenewCertificateRequest,
  type RenewCertificateResponse,
  type RevokeJoinTokenRequest,
  type RevokeJoinTokenResponse,
} from '@shoal/protocol';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startLink } from './broken-link.ts';
import { type RawClient, unary } from './raw-client.ts';
import { TestCluster, until } from './test-cluster.ts';
import { TlsFiles } from './tls-files.testkit.ts';

let files: TlsFiles;
const cluster = new TestCluster();
beforeAll(async () => {
  files = await TlsFiles.make();
  // No agent is forgotten while a test looks at it, however busy the machine is.
  await cluster.listen({ tlsDir: files.folder.path, certificateCheckMs: 20, leaseMs: 60_000 });
});
afterAll(async () => {
  await cluster.stop();
  await files.remove();
});

const statusFor = (client: RawClient): Promise<GetStatusResponse> =>
  unary<GetStatusRequest, GetStatusResponse>((request, done) => client.cluster.getStatus(request, done), {
    client: ownPeer,
  });

/** What its status complains of, once that is as it should be. */
const troubles = (
  client: RawClient,
  holds: (seen: readonly string[]) => boolean,
): Promise<readonly string[]> =>
  until('its troubles', async () => (await statusFor(client)).protection?.troubles ?? [], holds);

/** What shoal certs revoke NAME does. */
const revoke = (name: string): Promise<void> =>
  files.folder.revoked.add([{ name, role: undefined, untilMs: Math.floor(Date.now() / 1000) * 1000 }]);

const wasRevoked = {
  code: 'UNAUTHENTICATED',
  message: expect.stringContaining('its certificate was revoked'),
};

test('a client whose certificate is revoked is turned away on the connection that it has, which is closed then, and others are not', async () => {
  const [ann, bob] = await Promise.all(
    (['client', 'viewer'] as const).map(async (role, at) =>
      cluster.connect(await files.identity({ name: ['ann', 'bob'][at] ?? '', role })),
    ),
  );
  expect((await statusFor(ann as RawClient)).protection?.revoked).toBe(0);
  const events = (bob as RawClient).cluster.watchEvents({});
  const ends: unknown[] = [];
  events.on('error', (error) => ends.push(error)).resume();
  onTestFinished(() => events.cancel());
  await until('both are there', () => cluster.coordinator.status().connections === 2);
  await revoke('ann');
  await until(
    'it is read',
    () => cluster.events('certificate.revoked').length,
    (seen) => seen > 0,
  );
  await expect(statusFor(ann as RawClient)).rejects.toMatchObject(wasRevoked);
  await until('hers is closed', () => cluster.coordinator.status().connections === 1);
  const again = cluster.connect(await files.identity({ name: 'ann', role: 'client' }));
  await expect(statusFor(again), 'one that was made before its time is no better').rejects.toMatchObject(
    wasRevoked,
  );
  expect(ends).toEqual([]);
  expect((await statusFor(bob as RawClient)).protection?.revoked).toBe(1);
});

test('a name that was revoked can be given out again', async () => {
  const read = cluster.events('certificate.revoked').length;
  await revoke('cora');
  await until(
    'it is read',
    () => cluster.events('certificate.revoked').length,
    (seen) => seen > read,
  );
  const afterMs = (await files.folder.revoked.list()).untilMs({ name: 'cora', role: 'client' });
  const client = cluster.connect(await files.identity({ name: 'cora', role: 'client' }, { afterMs }));
  expect((await statusFor(client)).coordinator?.version).toBe(ownPeer.version);
});

test('one certificate is revoked by its number, and another one of that name goes on', async () => {
  const [lost, kept] = await Promise.all([1, 2].map(() => files.identity({ name: 'dora', role: 'client' })));
  if (lost === undefined || kept === undefined) throw new Error('There are two.');
  const { X509Certificate } = await import('node:crypto');
  await files.folder.revoked.add([{ serial: new X509Certificate(lost.cert).serialNumber }]);
  const client = cluster.connect(lost);
  const error = await until('it is turned away', () =>
    statusFor(client).then(
      () => undefined,
      (reason: unknown) => reason,
    ),
  );
  expect(error).toMatchObject(wasRevoked);
  await statusFor(cluster.connect(kept));
});

test('what a revoked client and a revoked agent have open ends, with the reason', async () => {
  const agent = await cluster.agent({ name: 'left', tlsDir: await files.agentFolder('left'), processes: 1 });
  const tls = await files.identity({ name: 'erin', role: 'client' });
  const pool = await connectPool(cluster.coordinator.address, { tls });
  onTestFinished(() => pool.terminate());
  const job = pool.map((ms: number) => new Promise((done) => setTimeout(done, ms)), [60_000]);
  const ended = expect(job).rejects.toMatchObject(wasRevoked);
  await until(
    'it runs',
    () => cluster.events('job.created').length,
    (seen) => seen > 0,
  );
  await revoke('erin');
  await ended;
  await revoke('left');
  const end = await agent.ended;
  expect(end).toMatchObject(wasRevoked);
  expect(end?.message, 'what helps an agent').toContain('shoal token create --role agent');
  expect(Number(cluster.events('certificate.revoked').at(-1)?.['ended']), 'its streams').toBeGreaterThan(1);
});

test('an agent that was revoked joins again with a new token beside its old folder, once', async () => {
  const tlsDir = await files.agentFolder('gus');
  const read = cluster.events('certificate.revoked').length;
  await revoke('gus');
  await until(
    'it is read',
    () => cluster.events('certificate.revoked').length,
    (seen) => seen > read,
  );
  const boss = cluster.connect(await files.identity({ name: 'boss', role: 'admin' }));
  const { token } = await unary<CreateJoinTokenRequest, CreateJoinTokenResponse>(
    (request, done) => boss.access.createJoinToken(request, done),
    { role: 'agent', name: 'gus', ttlMs: 60_000 },
  );
  const agent = await cluster.agent({ name: 'gus', tlsDir, token, processes: 1 });
  expect(cluster.events('agent.certificate').at(-1)?.msg).toContain(
    `${join(tlsDir, 'client.crt')} is not used: its certificate was revoked; joining with the token instead`,
  );
  await agent.close({ drain: false });
  const again = await cluster.agent({ name: 'gus', tlsDir, token, processes: 1 });
  expect(again.name, 'a used token beside a good certificate does no harm').toBe('gus');
});

test('an agent that is revoked while it runs ends although it has a token that nobody has used, which is taken back by itself', async () => {
  const tlsDir = await files.agentFolder('ivan');
  const boss = cluster.connect(await files.identity({ name: 'boss', role: 'admin' }));
  const create = (): Promise<CreateJoinTokenResponse> =>
    unary<CreateJoinTokenRequest, CreateJoinTokenResponse>(
      (request, done) => boss.access.createJoinToken(request, done),
      { role: 'agent', name: 'ivan', ttlMs: 600_000 },
    );
  const [kept, takenBack] = [await create(), await create()];
  const start = (token: string): Promise<Agent> =>
    cluster.agent({ name: 'ivan', tlsDir, token, processes: 1 });
  const agent = await start(kept.token);
  await revoke('ivan');
  expect(await agent.ended).toMatchObject(wasRevoked);
  await unary<RevokeJoinTokenRequest, RevokeJoinTokenResponse>(
    (request, done) => boss.access.revokeJoinToken(request, done),
    { id: takenBack.id },
  );
  await expect(start(takenBack.token)).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
    message: expect.stringContaining('this token to join with was taken back'),
  });
  const { tokens } = await unary<ListJoinTokensRequest, ListJoinTokensResponse>(
    (request, done) => boss.access.listJoinTokens(request, done),
    {},
  );
  const ids = tokens.map(({ id }) => id);
  expect(ids, 'the other one would let it in again, as that of gus did').toContain(kept.id);
  expect(ids).not.toContain(takenBack.id);
});

test('an agent that was revoked joins with its new token although nobody answered when it started', async () => {
  const tlsDir = await files.agentFolder('hana');
  const read = cluster.events('certificate.revoked').length;
  await revoke('hana');
  await until('it is read', () => cluster.events('certificate.revoked').length > read);
  const boss = cluster.connect(await files.identity({ name: 'boss', role: 'admin' }));
  const { token } = await unary<CreateJoinTokenRequest, CreateJoinTokenResponse>(
    (request, done) => boss.access.createJoinToken(request, done),
    { role: 'agent', name: 'hana', ttlMs: 60_000 },
  );
  const link = await startLink(cluster.coordinator.address, { refusals: 1 });
  onTestFinished(() => link.close());
  const agent = await cluster.agent({ join: link.address, name: 'hana', tlsDir, token, processes: 1 });
  expect(agent.name).toBe('hana');
  expect(cluster.events('agent.disconnected').at(-1)).toMatchObject({ address: link.address, failures: 1 });
  await agent.close({ drain: false });
});

test('an agent that was revoked a moment ago joins with a new token at once, although its place is kept for a while', async () => {
  const tlsDir = await files.agentFolder('kim');
  const agent = await cluster.agent({ name: 'kim', tlsDir, processes: 1 });
  await revoke('kim');
  expect(await agent.ended).toMatchObject(wasRevoked);
  const { address } = cluster.coordinator;
  const back = await startAgent({ join: address, tlsDir, processes: 1, log: pino({ level: 'silent' }) });
  expect(await back.ended, 'without one it hears why').toMatchObject(wasRevoked);
  const boss = cluster.connect(await files.identity({ name: 'boss', role: 'admin' }));
  const { agents } = await unary<ListAgentsRequest, ListAgentsResponse>(
    (request, done) => boss.cluster.listAgents(request, done),
    { pageToken: '', groupId: '' },
  );
  expect(agents.map(({ name }) => name)).toContain('kim');
  const { token } = await unary<CreateJoinTokenRequest, CreateJoinTokenResponse>(
    (request, done) => boss.access.createJoinToken(request, done),
    { role: 'agent', name: 'kim', ttlMs: 60_000 },
  );
  const again = await cluster.agent({ name: 'kim', tlsDir, token, processes: 1 });
  expect(again.name).toBe('kim');
  await again.close({ drain: false });
});

test('a certificate that is renewed minutes after its name was revoked begins after that, as the one before it does', async () => {
  const identity = { name: 'lea', role: 'agent' } as const;
  const read = cluster.events('certificate.revoked').length;
  await revoke('lea');
  await until('it is read', () => cluster.events('certificate.revoked').length > read);
  const list = await files.folder.revoked.list();
  const afterMs = list.untilMs(identity);
  const { access } = cluster.connect(await files.identity(identity, { afterMs }));
  const { request: certificateRequest } = await createCertificateRequest();
  const { certificateChain } = await unary<RenewCertificateRequest, RenewCertificateResponse>(
    (request, done) => access.renewCertificate(request, done),
    { certificateRequest },
  );
  const facts = certificateFacts(certificateChain);
  expect(facts.identity).toEqual(identity);
  expect(list.has(facts), 'it would be turned away at once').toBe(false);
});

test('a name that is revoked until a time to come gets no certificate, and the token can still be used', async () => {
  const tlsDir = await mkdtemp(join(tmpdir(), 'shoal-revoked-ahead-'));
  onTestFinished(() => rm(tlsDir, { recursive: true, force: true }));
  const read = cluster.events('certificate.revoked').length;
  await files.folder.revoked.add([{ name: 'ida', role: undefined, untilMs: Date.now() + 3_600_000 }]);
  await until('it is read', () => cluster.events('certificate.revoked').length > read);
  const boss = cluster.connect(await files.identity({ name: 'boss', role: 'admin' }));
  const { token } = await unary<CreateJoinTokenRequest, CreateJoinTokenResponse>(
    (request, done) => boss.access.createJoinToken(request, done),
    { role: 'agent', name: '', ttlMs: 60_000 },
  );
  await expect(cluster.agent({ name: 'ida', tlsDir, token, processes: 1 })).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
    message: expect.stringMatching(/agent ida is revoked until \S+Z, which is yet to come.*--name/),
  });
  const agent = await cluster.agent({ name: 'ines', tlsDir, token, processes: 1 });
  expect(agent.name).toBe('ines');
  await agent.close({ drain: false });
});

test('a list that is gone stays in force, and a new certificate of the coordinator is used all the same', async () => {
  const nina = await files.identity({ name: 'nina', role: 'client' });
  const read = cluster.events('certificate.revoked').length;
  await revoke('nina');
  await until('it is read', () => cluster.events('certificate.revoked').length > read);
  const complaints = cluster.events('certificate.refused').length;
  await rm(files.folder.revoked.path);
  await until(
    'it is complained of',
    () => cluster.events('certificate.refused').length,
    (seen) => seen > complaints,
  );
  expect(cluster.events('certificate.refused').at(-1)?.msg).toContain(
    'it is gone, and what it had stays revoked; an empty file revokes nothing',
  );
  await files.writeCoordinator();
  await until(
    'it is used',
    () => cluster.events('certificate.replaced').length,
    (seen) => seen > 0,
  );
  await expect(statusFor(cluster.connect(nina))).rejects.toMatchObject(wasRevoked);
});

test('a list that cannot be read changes nothing, and is complained of once', async () => {
  const nora = await files.identity({ name: 'nora', role: 'client' });
  const read = cluster.events('certificate.revoked').length;
  await revoke('nora');
  await until('it is read', () => cluster.events('certificate.revoked').length > read);
  const before = cluster.events('certificate.revoked').length;
  await writeFile(`${files.folder.revoked.path}.new`, 'nonsense\n');
  await rename(`${files.folder.revoked.path}.new`, files.folder.revoked.path);
  await until('it is complained of', () =>
    cluster.events('certificate.refused').some(({ msg }) => msg.includes('line 1')),
  );
  const complaints = cluster.events('certificate.refused').filter(({ msg }) => msg.includes('line 1'));
  expect(complaints).toEqual([
    expect.objectContaining({
      msg: expect.stringMatching(/revoked\.txt.*line 1 revokes nothing: give serial HEX/),
    }),
  ]);
  expect(cluster.events('certificate.revoked')).toHaveLength(before);
  await expect(statusFor(cluster.connect(nora))).rejects.toMatchObject(wasRevoked);
});

test('a list is read whatever else of the folder cannot be, and the status says what cannot', async () => {
  const key = files.folder.pathOf('coordinatorKey');
  await writeFile(files.folder.revoked.path, '# begun anew\n');
  await until(
    'nothing is revoked',
    () => cluster.events('certificate.revoked').at(-1)?.['entries'],
    (seen) => seen === 0,
  );
  const kim = cluster.connect(await files.identity({ name: 'kim', role: 'client' }));
  // The rest of the folder is looked at in the same moment, and may take longer.
  await troubles(kim, ({ length }) => length === 0);
  await chmod(key, 0o644);
  onTestFinished(() => chmod(key, 0o600));
  await revoke('kim');
  await until(
    'it is read',
    () => cluster.events('certificate.revoked').at(-1)?.['entries'],
    (seen) => seen === 1,
  );
  await expect(statusFor(kim)).rejects.toMatchObject(wasRevoked);
  const other = cluster.connect(await files.identity({ name: 'liz', role: 'client' }));
  expect(await troubles(other, ({ length }) => length > 0)).toEqual([
    expect.stringMatching(/coordinator\.key: others can read this key/),
  ]);
});

test('a session of TLS is not taken up again, with a certificate that may have expired since', async () => {
  const { port } = new URL(`https://${cluster.coordinator.address}`);
  const tls = {
    ...(await files.identity({ name: 'max', role: 'client' })),
    host: '127.0.0.1',
    port: Number(port),
  };
  const greeted = async (session?: Buffer): Promise<{ isReused: boolean; session: Buffer | undefined }> => {
    const socket = connectTls({ ...tls, ALPNProtocols: ['h2'], ...(session && { session }) });
    let ticket: Buffer | undefined;
    socket.on('session', (found) => {
      ticket = found;
    });
    // Whoever speaks HTTP/2 first has sent its tickets before.
    await once(socket, 'data');
    const isReused = socket.isSessionReused();
    socket.destroy();
    return { isReused, session: ticket };
  };
  const { session } = await greeted();
  if (session !== undefined) expect(await greeted(session)).toMatchObject({ isReused: false });
});

test('a token that is taken out of its file opens nothing any more, and ends what it has open', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-tokens-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'tokens');
  const [taken, kept] = [newSecret(), newSecret()];
  const write = async (...secrets: readonly string[]): Promise<void> => {
    const lines = secrets.map((secret) => `${bearerLine({ secret, role: 'viewer' })}\n`);
    await writeFile(`${file}.new`, lines.join(''), { mode: 0o600 });
    await rename(`${file}.new`, file);
  };
  await write(taken, kept);
  const open = new TestCluster();
  onTestFinished(() => open.stop());
  await open.listen({ tokenFile: file, certificateCheckMs: 20 });
  const [one, other] = [open.connect(undefined, taken), open.connect(undefined, kept)];
  const events = one.cluster.watchEvents({});
  const reason = new Promise<string>((resolve) => events.on('error', (error) => resolve(error.message)));
  events.resume();
  await Promise.all([statusFor(one), statusFor(other)]);
  await write(kept);
  expect(await reason).toContain('its token was taken out of the token file of the coordinator');
  await expect(statusFor(one)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  await statusFor(other);
  expect(open.events('tokens.replaced')).toEqual([
    expect.objectContaining({ tokens: 1, ended: 1, msg: expect.not.stringContaining(kept) }),
  ]);
  await write();
  await until(
    'the last one is taken back',
    () => open.events('tokens.replaced').length,
    (seen) => seen > 1,
  );
  await expect(statusFor(other)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});
