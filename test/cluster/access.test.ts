import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectPool } from '@shoal/client';
import {
  bearerLine,
  certificateFacts,
  createCertificateRequest,
  newSecret,
  parseJoinToken,
  type Role,
  TlsFolder,
} from '@shoal/credentials';
import { ShoalError } from '@shoal/errors';
import { startAgent } from '@shoal/node-agent';
import {
  type CreateJoinTokenRequest,
  type CreateJoinTokenResponse,
  type DialMaterial,
  JobState,
  type JoinClusterRequest,
  type JoinClusterResponse,
  type ListAgentsRequest,
  type ListAgentsResponse,
  type ListJobsRequest,
  type ListJobsResponse,
  type ListJoinTokensRequest,
  type ListJoinTokensResponse,
  MapRequest,
  type MapResponse,
  type RenewCertificateRequest,
  type RenewCertificateResponse,
} from '@shoal/protocol';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type RawClient, unary } from './raw-client.ts';
import { source, TestCluster, until } from './test-cluster.ts';
import { TlsFiles } from './tls-files.testkit.ts';

let files: TlsFiles;
const cluster = new TestCluster();
const folders: string[] = [];
beforeAll(async () => {
  files = await TlsFiles.make();
  await cluster.listen({ tlsDir: files.folder.path });
});
afterAll(async () => {
  await cluster.stop();
  await files.remove();
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
});

const as = async (role: Role, name: string): Promise<RawClient> =>
  cluster.connect(await files.identity({ name, role }));

/** Something that is no coordinator. Returns its address. */
async function listening(onSocket: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    onSocket(socket);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-agent-'));
  folders.push(folder);
  return folder;
}

async function joinToken(role = 'agent', name = '', ttlMs = 60_000): Promise<string> {
  const { access } = await as('admin', 'boss');
  const { token } = await unary<CreateJoinTokenRequest, CreateJoinTokenResponse>(
    (request, done) => access.createJoinToken(request, done),
    { role, name, ttlMs },
  );
  return token;
}

test("a token of the role agent makes of a client's certificate no agent's", async () => {
  const secret = newSecret();
  const both = new TestCluster();
  await both.listen({ tlsDir: files.folder.path, tokens: bearerLine({ secret, role: 'agent' }) });
  const { request: certificateRequest } = await createCertificateRequest();
  const renewedBy = (tls: DialMaterial): Promise<RenewCertificateResponse> =>
    unary<RenewCertificateRequest, RenewCertificateResponse>(
      (request, done) => both.connect(tls, secret).access.renewCertificate(request, done),
      { certificateRequest },
    );
  const client = await files.identity({ name: 'nina', role: 'client' });
  await expect(renewedBy(client)).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
    message: expect.stringContaining('client nina'),
  });
  const { certificateChain } = await renewedBy(await files.identity({ name: 'nina', role: 'agent' }));
  expect(certificateFacts(certificateChain).identity).toEqual({ name: 'nina', role: 'agent' });
  await both.stop();
});

describe('a job', () => {
  let ann: RawClient;
  let bob: RawClient;
  let sha256: string;
  let jobId: string;
  beforeAll(async () => {
    [ann, bob] = [await as('client', 'ann'), await as('client', 'bob')];
    sha256 = await ann.putBundle(source);
    jobId = await ann.createJob(
      sha256,
      'inc',
      { group: { id: 'group-of-ann', processes: 1 } },
      'the-request',
    );
  });

  test('exists for its submitter, who may come back on another connection', async () => {
    const again = await as('client', 'ann');
    expect(await again.info(jobId)).toMatchObject({ jobId, requestId: 'the-request' });
  });

  test('does not exist for another client, whatever that one does with it', async () => {
    const notFound = { code: 'JOB_NOT_FOUND' };
    await expect(bob.info(jobId)).rejects.toMatchObject(notFound);
    await expect(bob.push(jobId, [1])).rejects.toMatchObject(notFound);
    await expect(bob.read(jobId)).rejects.toMatchObject(notFound);
    await expect(
      unary((request, done) => bob.jobs.cancelJob(request, done), { jobId, reason: '' }),
    ).rejects.toMatchObject(notFound);
    await expect(
      unary((request, done) => bob.jobs.acknowledgeResults(request, done), {
        jobId,
        position: 1,
        clientSession: '',
      }),
    ).rejects.toMatchObject(notFound);
  });

  test('of a Map call exists for whoever made the call, and for no other client', async () => {
    await unary(ann.bundles.nameBundle.bind(ann.bundles), { name: 'work', version: 1, sha256 });
    const call = ann.jobs.map();
    call.on('error', () => {});
    const first = new Promise<MapResponse>((resolve) => call.once('data', resolve));
    call.write(MapRequest.fromPartial({ start: { function: 'work#inc' }, items: [Buffer.from('1')] }));
    const mapped = (await first).jobId;
    expect(await ann.info(mapped)).toMatchObject({ jobId: mapped });
    await expect(bob.info(mapped)).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
    call.cancel();
    await until(
      'it is gone',
      () =>
        ann.info(mapped).then(
          () => true,
          () => false,
        ),
      (known) => !known,
    );
  });

  test('is listed to its submitter, to viewers and to admins', async () => {
    const listed = async (client: RawClient): Promise<string[]> => {
      const { jobs } = await unary<ListJobsRequest, ListJobsResponse>(
        (request, done) => client.jobs.listJobs(request, done),
        { pageToken: '' },
      );
      return jobs.map((job) => job.jobId);
    };
    expect(await listed(ann)).toEqual([jobId]);
    expect(await listed(bob)).toEqual([]);
    expect(await listed(await as('viewer', 'eve'))).toEqual([jobId]);
    expect(await listed(await as('admin', 'boss'))).toEqual([jobId]);
  });

  test('is not handed to another client who asks with the same request id', async () => {
    const other = await bob.createJob(sha256, 'inc', {}, 'the-request');
    expect(other).not.toBe(jobId);
    expect(
      await ann.createJob(sha256, 'inc', { group: { id: 'group-of-ann', processes: 1 } }, 'the-request'),
    ).toBe(jobId);
  });

  test('shares its processes with nobody else', async () => {
    await expect(
      bob.createJob(sha256, 'inc', { group: { id: 'group-of-ann', processes: 1 } }),
    ).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      message: expect.stringContaining('client bob may not do this: this group of processes'),
    });
  });

  test('is ended by an admin, if need be', async () => {
    const boss = await as('admin', 'boss');
    await unary((request, done) => boss.jobs.cancelJob(request, done), { jobId, reason: 'enough' });
    expect(await ann.info(jobId)).toMatchObject({ state: JobState.CANCELLED });
  });
});

test('a token to join with is listed without its secret, and opens nothing once it was taken back', async () => {
  const { access } = await as('admin', 'boss');
  const { id, token } = await unary<CreateJoinTokenRequest, CreateJoinTokenResponse>(
    (request, done) => access.createJoinToken(request, done),
    { role: 'agent', name: 'never', ttlMs: 60_000 },
  );
  const listed = async () => {
    const { tokens } = await unary<ListJoinTokensRequest, ListJoinTokensResponse>(
      (request, done) => access.listJoinTokens(request, done),
      {},
    );
    return tokens.filter((each) => each.name === 'never');
  };
  const tokens = await listed();
  expect(tokens).toEqual([{ id, role: 'agent', name: 'never', expiresUnixMs: expect.any(Number) }]);
  expect(JSON.stringify(tokens)).not.toContain(token.split('.')[1]);
  await unary((request, done) => access.revokeJoinToken(request, done), { id });
  expect(await listed()).toEqual([]);
  const late = startAgent({
    join: cluster.coordinator.address,
    name: 'never',
    tlsDir: await emptyFolder(),
    token,
    processes: 1,
    log: pino({ level: 'silent' }),
  });
  await expect(late).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
    message: expect.stringContaining('this token to join with was taken back'),
  });
  await expect(unary((request, done) => access.revokeJoinToken(request, done), { id })).rejects.toMatchObject(
    { code: 'TOKEN_NOT_FOUND' },
  );
});

test.each(['client', 'viewer', 'admin', 'coordinator', ''])(
  'no token to join with is made for the role "%s": nothing could exchange it',
  async (role) => {
    await expect(joinToken(role, 'zoe')).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.stringMatching(/^role: must be agent.*shoal certs issue/),
    });
  },
);

describe('an agent', () => {
  test('joins with a token, once, and gets a certificate of its own for a day', async () => {
    const tlsDir = await emptyFolder();
    const token = await joinToken();
    await cluster.agent({ name: 'joined', tlsDir, token });
    const folder = new TlsFolder(tlsDir);
    const { identity, validToMs } = certificateFacts(await folder.read('client'));
    expect(identity).toEqual({ name: 'joined', role: 'agent' });
    expect(validToMs - Date.now()).toBeGreaterThan(23 * 3_600_000);
    expect((await stat(folder.pathOf('clientKey'))).mode & 0o777).toBe(0o600);
    const again = startAgent({
      join: cluster.coordinator.address,
      name: 'second',
      tlsDir: await emptyFolder(),
      token,
      log: pino({ level: 'silent' }),
    });
    await expect(again).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.stringMatching(/this token to join with was used before.*shoal token create/),
    });
  });

  test('whose answer was lost asks again with its key, and gets the same certificate; another key gets none', async () => {
    const { secret } = parseJoinToken(await joinToken()) ?? {};
    const { access } = cluster.connect({ ca: files.authority.cert });
    const [own, other] = await Promise.all([createCertificateRequest(), createCertificateRequest()]);
    const ask = (certificateRequest: string, name: string): Promise<JoinClusterResponse> =>
      unary<JoinClusterRequest, JoinClusterResponse>((request, done) => access.joinCluster(request, done), {
        secret: secret ?? '',
        name,
        certificateRequest,
      });
    // The first two at once: an agent may ask again before the answer to its first question is ready.
    const [first, second] = await Promise.all([ask(own.request, 'lossy'), ask(own.request, 'lossy')]);
    expect(certificateFacts(first.certificateChain).identity).toEqual({ name: 'lossy', role: 'agent' });
    expect(second).toEqual(first);
    expect(await ask(own.request, 'lossy')).toEqual(first);
    expect(await ask(own.request, ''), 'its name is known by now').toEqual(first);
    const spent = { code: 'UNAUTHENTICATED', message: expect.stringContaining('was used before') };
    await expect(ask(other.request, 'lossy')).rejects.toMatchObject(spent);
    await expect(ask(own.request, 'another')).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      message: expect.stringContaining('joined as lossy'),
    });
    await expect(ask('none', 'lossy')).rejects.toMatchObject(spent);
    expect(cluster.events('certificate.issued').filter(({ name }) => name === 'lossy')).toHaveLength(1);
  });

  test('that was killed before it had its answer joins with the same token when it is started again', async () => {
    const token = await joinToken();
    const tlsDir = await emptyFolder();
    const { access } = cluster.connect({ ca: files.authority.cert });
    // As it leaves its folder: the key is there, and the certificate for it went nowhere.
    const { key, request } = await createCertificateRequest();
    await new TlsFolder(tlsDir).reserve('client', key);
    const { certificateChain } = await unary<JoinClusterRequest, JoinClusterResponse>(
      (question, done) => access.joinCluster(question, done),
      { secret: parseJoinToken(token)?.secret ?? '', name: 'killed', certificateRequest: request },
    );
    await cluster.agent({ name: 'killed', tlsDir, token });
    expect(await new TlsFolder(tlsDir).findPair('client')).toMatchObject({ cert: certificateChain, key });
    expect(await readdir(tlsDir)).toEqual(['ca.crt', 'client.crt', 'client.key']);
  });

  test('whose certificate found no place on the disk joins with the same token when there is one', async () => {
    const token = await joinToken();
    const tlsDir = await emptyFolder();
    await mkdir(join(tlsDir, 'ca.crt'));
    const config = { join: cluster.coordinator.address, name: 'full', tlsDir, token };
    const log = pino({ level: 'silent' });
    await expect(startAgent({ ...config, log })).rejects.toMatchObject({ code: 'FILE_NOT_USABLE' });
    await rmdir(join(tlsDir, 'ca.crt'));
    await cluster.agent(config);
    const issued = cluster.events('certificate.issued').filter(({ name }) => name === 'full');
    expect(issued, 'the same certificate').toHaveLength(1);
  });

  test('whose certificate found no place joins with the same token, wherever else it looked meanwhile', async () => {
    const token = await joinToken();
    const tlsDir = await emptyFolder();
    await mkdir(join(tlsDir, 'ca.crt'));
    const config = { join: cluster.coordinator.address, name: 'astray', tlsDir, token };
    const log = pino({ level: 'silent' });
    await expect(startAgent({ ...config, log })).rejects.toMatchObject({ code: 'FILE_NOT_USABLE' });
    await rmdir(join(tlsDir, 'ca.crt'));

    const stop = new AbortController();
    const deaf = await listening((socket) => {
      socket.destroy();
      stop.abort(new Error('stopped'));
    });
    await expect(startAgent({ ...config, join: deaf, log }, stop.signal)).rejects.toThrow('stopped');
    const plain = await listening((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await expect(startAgent({ ...config, join: plain, log })).rejects.toMatchObject({ code: 'TLS_FAILED' });
    expect(await readdir(tlsDir)).toEqual(['client.key.next']);

    await cluster.agent(config);
    const issued = cluster.events('certificate.issued').filter(({ name }) => name === 'astray');
    expect(issued, 'the same certificate').toHaveLength(1);
  });

  test('whose certificate found no place keeps its key when it is started under another name, and is told its own', async () => {
    const token = await joinToken();
    const tlsDir = await emptyFolder();
    await mkdir(join(tlsDir, 'ca.crt'));
    const config = { join: cluster.coordinator.address, tlsDir, token };
    const log = pino({ level: 'silent' });
    await expect(startAgent({ ...config, name: 'first', log })).rejects.toMatchObject({
      code: 'FILE_NOT_USABLE',
    });
    await rmdir(join(tlsDir, 'ca.crt'));

    // More often than a wrong token may be shown: this is none.
    for (let time = 1; time <= 12; time++) {
      await expect(startAgent({ ...config, name: 'other', log })).rejects.toMatchObject({
        code: 'REQUEST_INVALID',
        message: expect.stringMatching(/name: is other, but .* joined as first .*Start it with --name first/),
      });
    }
    expect(await readdir(tlsDir)).toEqual(['client.key.next']);
    await cluster.agent({ ...config, name: 'first' });
    const issued = cluster.events('certificate.issued').filter(({ name }) => name === 'first');
    expect(issued, 'the same certificate').toHaveLength(1);
  });

  test('that has a certificate and is started under another name is told both, and loses nothing', async () => {
    const tlsDir = await files.agentFolder('settled');
    const before = await readFile(join(tlsDir, 'client.key'), 'utf8');
    for (const token of [undefined, await joinToken()]) {
      const renamed = startAgent({
        join: cluster.coordinator.address,
        name: 'other',
        tlsDir,
        ...(token === undefined ? {} : { token }),
        log: pino({ level: 'silent' }),
      });
      await expect(renamed).rejects.toMatchObject({
        code: 'REQUEST_INVALID',
        message: expect.stringMatching(
          /is other, but the certificate in \S+ is for settled\. Leave --name out/,
        ),
      });
    }
    expect(await readFile(join(tlsDir, 'client.key'), 'utf8')).toBe(before);
  });

  test('needs no token any more when it has its certificate, and keeps its name', async () => {
    const tlsDir = await emptyFolder();
    const first = await cluster.agent({ name: 'keeps', tlsDir, token: await joinToken() });
    await first.close();
    const { name: _, ...rest } = { name: undefined, tlsDir };
    const second = await startAgent({
      join: cluster.coordinator.address,
      processes: 1,
      log: pino({ level: 'silent' }),
      ...rest,
    });
    await second.joined;
    expect(second.name).toBe('keeps');
    await second.close({ drain: false });
  });

  test('whose certificate is of another cluster joins with the token of this one', async () => {
    const before = await TlsFiles.make();
    onTestFinished(() => before.remove());
    const tlsDir = await before.agentFolder('moved');
    const agent = await cluster.agent({ name: 'moved', tlsDir, token: await joinToken() });
    expect(agent.name).toBe('moved');
    expect(await readFile(join(tlsDir, 'ca.crt'), 'utf8')).toBe(files.authority.cert);
  });

  test('whose certificate is of this cluster keeps it, and sends a token of another one to nobody', async () => {
    const tlsDir = await files.agentFolder('stays');
    const token = (await joinToken()).replace(/\.[^.]+$/, `.${newSecret()}`);
    const before = await readFile(join(tlsDir, 'client.crt'), 'utf8');
    const lost = startAgent({
      join: cluster.coordinator.address,
      tlsDir,
      token,
      log: pino({ level: 'silent' }),
    });
    await expect(lost).rejects.toMatchObject({
      code: 'TLS_FAILED',
      message: expect.stringContaining('it belongs to another cluster than the token'),
    });
    expect(await readFile(join(tlsDir, 'client.crt'), 'utf8')).toBe(before);
  });

  test('gets the name that its token has, and no other', async () => {
    const tlsDir = await emptyFolder();
    const refused = startAgent({
      join: cluster.coordinator.address,
      name: 'another',
      tlsDir,
      token: await joinToken('agent', 'rack2-b'),
      log: pino({ level: 'silent' }),
    });
    await expect(refused).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      message: /the token is for rack2-b/,
    });
    expect(await readdir(tlsDir), 'no key of a refusal').toEqual([]);
  });

  test('in the folder of another one is told that its token is not used, and what helps', async () => {
    const tlsDir = await files.agentFolder('owner');
    const token = await joinToken();
    await cluster.agent({ name: 'owner', tlsDir, token, processes: 1 });
    const path = join(tlsDir, 'client.crt');
    expect(cluster.events('agent.certificate').at(-1)).toMatchObject({
      agent: 'owner',
      msg: `the certificate in ${path} is good for agent owner; the token is not used`,
    });
    const { address } = cluster.coordinator;
    const log = pino({ level: 'silent' });
    await expect(startAgent({ join: address, name: 'guest', tlsDir, token, log })).rejects.toMatchObject({
      message: expect.stringMatching(/^name: is guest, but .* for owner\. .*folder of its own: --tls-dir/),
    });
    const taken = new ShoalError('AGENT_NAME_TAKEN', { agent: 'owner' });
    expect(taken.message).toMatch(/--name NAME.*--tls-dir DIR/);
  });

  test('cannot take the name of one that is connected', async () => {
    await cluster.agent({ name: 'taken', tlsDir: await emptyFolder(), token: await joinToken() });
    const thief = startAgent({
      join: cluster.coordinator.address,
      name: 'taken',
      tlsDir: await emptyFolder(),
      token: await joinToken(),
      log: pino({ level: 'silent' }),
    });
    await expect(thief).rejects.toMatchObject({ code: 'AGENT_NAME_TAKEN' });
  });

  test('with a token of another cluster sends it nothing', async () => {
    const token = (await joinToken()).replace(/\.[^.]+$/, `.${newSecret()}`);
    const lost = startAgent({
      join: cluster.coordinator.address,
      tlsDir: await emptyFolder(),
      token,
      log: pino({ level: 'silent' }),
    });
    await expect(lost).rejects.toMatchObject({
      code: 'TLS_FAILED',
      message: /belongs to another cluster than the token/,
    });
  });

  test('whose token has expired is told so', async () => {
    const token = await joinToken('agent', '', 1_000);
    const tlsDir = await emptyFolder();
    // Time is the subject: the coordinator is in this process, and its clock has passed the token's second by then.
    await new Promise((resolve) => setTimeout(resolve, 1_050));
    const late = startAgent({
      join: cluster.coordinator.address,
      tlsDir,
      token,
      log: pino({ level: 'silent' }),
    });
    await expect(late).rejects.toMatchObject({ code: 'UNAUTHENTICATED', message: /has expired/ });
  });

  test('speaks for itself alone: another name than that in its certificate is refused', async () => {
    const mallory = await as('agent', 'mallory');
    const refused = mallory.joinAs('joined');
    await expect(refused).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      message: expect.stringContaining('agent mallory may not do this: joining as joined'),
    });
  });

  test("cannot report into another agent's session", async () => {
    const { agents } = await unary<ListAgentsRequest, ListAgentsResponse>(
      (request, done) => boss.cluster.listAgents(request, done),
      { pageToken: '', groupId: '' },
    );
    const session = agents.find(({ name }) => name === 'joined')?.session ?? 0;
    expect(session).toBeGreaterThan(0);
    const mallory = await as('agent', 'mallory');
    await expect(mallory.dataInto(session)).rejects.toMatchObject({ code: 'SESSION_STALE' });
  });

  let boss: RawClient;
  beforeAll(async () => {
    boss = await as('admin', 'boss');
  });
});

test('a certificate that is about to end is renewed by the agent itself, without losing its session', async () => {
  const tlsDir = await files.agentFolder('renewed', { lifetimeMs: 60_000 });
  const before = await readFile(join(tlsDir, 'client.crt'), 'utf8');
  await cluster.agent({ name: 'renewed', tlsDir });
  await until('it is renewed', () =>
    cluster.events('agent.certificate').some(({ agent }) => agent === 'renewed'),
  );
  const after = await readFile(join(tlsDir, 'client.crt'), 'utf8');
  expect(after).not.toBe(before);
  const viewer = await as('viewer', 'monitor');
  const { agents } = await unary<ListAgentsRequest, ListAgentsResponse>(
    (request, done) => viewer.cluster.listAgents(request, done),
    { pageToken: '', groupId: '' },
  );
  expect(
    agents.find(({ name }) => name === 'renewed')?.certificateExpiresUnixMs,
    'what lists and metrics say',
  ).toBe(certificateFacts(after).validToMs);
  expect(certificateFacts(after).validToMs - Date.now()).toBeGreaterThan(23 * 3_600_000);
  expect(cluster.events('agent.disconnected')).not.toContainEqual(
    expect.objectContaining({ agent: 'renewed' }),
  );
});

describe('a coordinator with tokens', () => {
  const [all, viewing] = [newSecret(), newSecret()];
  const open = new TestCluster();
  beforeAll(() => open.listen({ tokens: `${all}\n${bearerLine({ secret: viewing, role: 'viewer' })}\n` }));
  afterAll(() => open.stop());
  const attempt = (token?: string): Promise<unknown> =>
    connectPool(open.coordinator.address, { ...(token === undefined ? {} : { token }) }).then(
      async (pool) => {
        await pool.map((x: number) => x + 1, [1]);
        await pool.terminate();
      },
    );

  test('runs jobs for those who have one, on agents that have one', async () => {
    await open.agent({ name: 'bearer', token: all });
    await attempt(all);
  });

  test('refuses those without, with another, and with one for less', async () => {
    await expect(attempt()).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: /neither a certificate nor a token/,
    });
    await expect(attempt(newSecret())).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: /its token is none/,
    });
    await expect(attempt(viewing)).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
      message: /the bearer of a viewer token may not do this/,
    });
  });

  test('shows no token in its log', () => {
    const logged = JSON.stringify(open.logged);
    expect(logged).toContain('access.refused');
    expect(logged).not.toContain(all);
    expect(logged).not.toContain(viewing);
  });
});

test("the folder of somebody else is no agent's: it is told whose it is", async () => {
  const { cert, key } = await files.identity({ name: 'boss', role: 'admin' });
  const folder = new TlsFolder(await emptyFolder());
  await folder.write('authority', files.authority.cert);
  await folder.write('clientKey', key);
  await folder.write('client', cert);
  const refused = startAgent({
    join: cluster.coordinator.address,
    tlsDir: folder.path,
    log: pino({ level: 'silent' }),
  });
  await expect(refused).rejects.toMatchObject({
    code: 'FILE_NOT_USABLE',
    message: /for the admin boss, and not for an agent.*--tls-dir/,
  });
});
