/**
 * Limits of docs/limits.md, one below each, at it and one beyond it, on a cluster where it is small.
 *
 * What is beyond ends with the error that names the option, is counted by the name of the limit, and hurts nobody else:
 * the same client goes on to ask for the status.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { connect as dial, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Client,
  type ClientOptions,
  connectivityState,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { connect as connectPool } from '@shoal/client';
import type { CoordinatorConfig } from '@shoal/coordinator';
import { bearerLine, newSecret } from '@shoal/credentials';
import {
  CreateJobRequest,
  type CreateJobResponse,
  type CreateJoinTokenRequest,
  type CreateJoinTokenResponse,
  errorFromStatus,
  type GetStatusRequest,
  type GetStatusResponse,
  HostInfo,
  type JobOptions,
  Join,
  type JoinClusterRequest,
  type JoinClusterResponse,
  type LimitName,
  limits,
  MapRequest,
  type MapResponse,
  type NameBundleRequest,
  type NameBundleResponse,
  ownPeer,
} from '@shoal/protocol';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { FaultProxy } from '../chaos/fault-proxy.ts';
import { triedLimit } from '../limit-edges.ts';
import { RawClient, unary } from './raw-client.ts';
import { source, TestCluster, until } from './test-cluster.ts';
import { TlsFiles } from './tls-files.testkit.ts';

let cluster: TestCluster;
let files: TlsFiles | undefined;
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await cluster.stop();
  await files?.remove();
  files = undefined;
});

async function serve(config: CoordinatorConfig): Promise<RawClient> {
  cluster = new TestCluster();
  await cluster.listen(config);
  return cluster.connect();
}

function statusOf({ cluster: service }: RawClient, metadata = new Metadata()): Promise<GetStatusResponse> {
  return unary<GetStatusRequest, GetStatusResponse>(
    (request, done) => service.getStatus(request, metadata, done),
    { client: undefined },
  );
}

const reached = async (client: RawClient, limit: LimitName): Promise<number> =>
  (await statusOf(client)).limitsReached[limit] ?? 0;

/** The code that something ends with, and what its error says. */
async function ending(deed: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await deed;
  } catch (error) {
    return error as { code: string; message: string };
  }
  return { code: 'OK', message: '' };
}

/** Asks for the status in a message of exactly so many bytes, over a connection of its own. */
function askPadded(bytes: number, options: ClientOptions = {}): Promise<unknown> {
  const asIs = (message: Buffer): Buffer => message;
  // Field 99 is nobody's, and skipped: two bytes that name it, and a length of three.
  const payload = Buffer.alloc(bytes - 5);
  const size = payload.length;
  const head = Buffer.from([0x9a, 0x06, (size & 0x7f) | 0x80, ((size >>> 7) & 0x7f) | 0x80, size >>> 14]);
  const client = new Client(cluster.coordinator.address, credentials.createInsecure(), options);
  const path = '/shoal.v1.ClusterService/GetStatus';
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, asIs, asIs, Buffer.concat([head, payload]), (error) => {
      client.close();
      if (error === null) resolve(undefined);
      else reject(errorFromStatus(error, { address: 'the coordinator' }));
    });
  });
}

const gzip = { 'grpc.default_compression_algorithm': 2 };

/** One item through Map, as JSON: resolves with its result, rejects with the error of the call or of the item. */
function mapOne({ jobs }: RawClient, name: string, item: string): Promise<unknown> {
  const call = jobs.map();
  return new Promise((resolve, reject) => {
    call.on('data', ({ outcomes }: MapResponse) => {
      for (const { outcome } of outcomes) {
        if (outcome?.$case === 'value') resolve(outcome.value);
        else if (outcome?.$case === 'failure') {
          reject(Object.assign(new Error(outcome.value.summary), { code: outcome.value.code }));
        }
      }
    });
    call.on('error', (error: ServiceError) => reject(errorFromStatus(error, { address: 'here' })));
    call.write(MapRequest.fromPartial({ start: { function: `work#${name}` } }));
    call.write(MapRequest.fromPartial({ items: [Buffer.from(item)] }));
    call.end();
  });
}

/** An agent, and the functions of the tests under the name "work". */
async function equipped(client: RawClient): Promise<void> {
  await cluster.agent({ processes: 1 });
  const sha256 = await client.putBundle(source);
  await unary<NameBundleRequest, NameBundleResponse>(
    (request, done) => client.bundles.nameBundle(request, done),
    { name: 'work', version: 1, sha256 },
  );
}

async function putBytes({ bundles }: RawClient, bytes: number, headers = 1): Promise<string> {
  const part = randomBytes(bytes);
  const sha256 = createHash('sha256').update(part).digest('hex');
  await new Promise((resolve, reject) => {
    const call = bundles.putBundle((error) => {
      if (error === null) resolve(undefined);
      else reject(errorFromStatus(error, { address: 'the coordinator' }));
    });
    for (let at = 0; at < headers; at += 1) {
      call.write({ message: { $case: 'header', value: { sha256, size: bytes } } });
    }
    call.write({ message: { $case: 'part', value: part } });
    call.end();
  });
  return sha256;
}

const names = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`label-${at}`, 'x']));

/** Joins as an agent that says this of itself, and leaves. */
function joinWith({ agents }: RawClient, asked: Partial<Join>): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = agents.control();
    call.on('data', () => {
      resolve();
      call.write({ message: { $case: 'leaving', value: {} } });
    });
    call.on('error', (error) => reject(errorFromStatus(error as never, { address: 'the coordinator' })));
    const own = { agentName: 'raw', instance: 'raw', slots: 1, agent: ownPeer };
    const join = Join.fromPartial({ ...own, ...asked });
    call.write({ message: { $case: 'join', value: join } });
  });
}

/** What is beyond it ends with an error. */
interface Refusing {
  readonly config: CoordinatorConfig;
  /** Where the size is no number of its own: what the limit is in `config`. */
  readonly most: number;
  /** Does it, just so much. */
  readonly deed: (client: RawClient, amount: number) => Promise<unknown>;
  readonly option: RegExp;
}

const MiB = 2 ** 20;

const refusing: Partial<Record<LimitName, Refusing>> = {
  messageBytes: {
    config: { maxMessageBytes: MiB },
    most: MiB,
    deed: (_, amount) => askPadded(amount),
    option: /1048577 is over the limit of 1048576 \(shoal coordinator --max-message-bytes\)/,
  },
  decompressedBytes: {
    config: { maxMessageBytes: MiB },
    most: MiB,
    deed: (_, amount) => askPadded(amount, gzip),
    option: /unpacked: more than 1048576 is over .* --max-message-bytes/,
  },
  itemBytes: {
    config: { maxItemBytes: 2_000 },
    most: 2_000,
    deed: async (client, amount) => {
      await equipped(client);
      await mapOne(client, 'length', `"${'x'.repeat(amount - 2)}"`);
    },
    option: /--max-item-bytes/,
  },
  resultBytes: {
    config: { maxResultBytes: 2_000 },
    most: 2_000,
    deed: async (client, amount) => {
      await equipped(client);
      await mapOne(client, 'big', `${amount - 6}`);
    },
    option: /the limit is .* \(maxResultBytes\)/,
  },
  jobs: {
    config: { maxJobs: 3 },
    most: 3,
    deed: async (client, amount) => {
      const sha256 = await client.putBundle(source);
      for (let job = 0; job < amount; job++) await client.createJob(sha256, 'inc');
    },
    option: /--max-jobs/,
  },
  requestBytes: {
    config: { maxRequestBytes: 2_000 },
    most: 2_000,
    deed: async ({ jobs }, amount) => {
      const request = (length: number): CreateJobRequest =>
        CreateJobRequest.fromPartial({
          task: { function: { $case: 'inlineSource', value: 'x'.repeat(length) } },
        } as CreateJobRequest);
      const rest = CreateJobRequest.encode(request(1_000)).finish().length - 1_000;
      await unary<CreateJobRequest, CreateJobResponse>(
        (message, done) => jobs.createJob(message, done),
        request(amount - rest),
      );
    },
    option: /--max-request-bytes/,
  },
  bundleStoreBytes: {
    config: { maxBundleStoreBytes: 1_000 },
    most: 1_000,
    deed: async (client, amount) => {
      // One that has a name does not make room.
      const sha256 = await putBytes(client, 600);
      await unary<NameBundleRequest, NameBundleResponse>(
        (request, done) => client.bundles.nameBundle(request, done),
        { name: 'kept', version: 1, sha256 },
      );
      await putBytes(client, amount - 600);
    },
    option: /--max-bundle-store-bytes/,
  },
  bundleBytes: {
    config: { maxBundleBytes: 1_000 },
    most: 1_000,
    deed: putBytes,
    option: /--max-bundle-bytes/,
  },
  bundleFiles: {
    config: {},
    most: 1,
    // A bundle without a file is none, and refused for that.
    deed: async (client, amount) => (amount === 0 ? undefined : putBytes(client, 10, amount)),
    option: /came again: a bundle is 1 file/,
  },
  agentSlots: {
    config: { maxAgentSlots: 3 },
    most: 3,
    deed: (client, amount) => joinWith(client, { slots: amount }),
    option: /are 4, and may be 3 \(shoal coordinator --max-agent-slots\)/,
  },
  hostBytes: {
    config: {},
    most: 4_096,
    // Two bytes for the number of the field, and two for its length.
    deed: (client, amount) =>
      joinWith(client, { host: HostInfo.fromPartial({ hostname: 'h'.repeat(amount - 3) }) }),
    option: /host: has 4097 bytes, and may have 4096/,
  },
  nameChars: {
    config: {},
    most: 100,
    deed: async (client, amount) => {
      const name = 'n'.repeat(amount);
      await joinWith(client, { agentName: name });
      await joinWith(client, { labels: { [name]: name } });
    },
    option: /100/,
  },
  labelEntries: {
    config: { maxLabels: 3 },
    most: 3,
    deed: (client, amount) => joinWith(client, { labels: names(amount) }),
    option: /--max-labels/,
  },
  metadataBytes: {
    config: { maxMetadataBytes: 2_000 },
    most: 2_000,
    deed: async (client, amount) => {
      // What the client itself adds is told by a first, refused try.
      const own = await ownMetadataBytes(client);
      const metadata = new Metadata();
      metadata.set('x', 'v'.repeat(amount - own - 1));
      await statusOf(client, metadata);
    },
    option: /--max-metadata-bytes/,
  },
};

/** Bytes of metadata that every call of this client has. */
async function ownMetadataBytes(client: RawClient): Promise<number> {
  const metadata = new Metadata();
  metadata.set('x', 'v'.repeat(4_000));
  const { facts } = (await ending(statusOf(client, metadata))) as unknown as { facts: { value: string } };
  const bytes = Number(facts.value);
  return bytes - 4_001;
}

describe.each(Object.entries(refusing))('%s', (name, { config, most, deed, option }) => {
  const limit = name as LimitName;

  test('one below and at the limit is taken; one beyond is refused by an error that names the option, and counted', async () => {
    for (const amount of [most - 1, most, most + 1]) {
      const client = await serve(config);
      const { code, message } = await ending(deed(client, amount));
      triedLimit(limit, amount, most);
      if (amount <= most) expect(`${amount}: ${code}`).toBe(`${amount}: OK`);
      else {
        expect(code).toBe(limits[limit].error);
        expect(message).toMatch(option);
        expect(await reached(client, limit)).toBeGreaterThanOrEqual(1);
      }
      await cluster.stop();
    }
  });
});

/** A bare connection; what it is sent is gathered by `heard`. */
function open(address: string): Socket {
  const [host = '', port] = address.split(':');
  const socket = dial(Number(port), host);
  socket.on('error', () => {});
  socket.on('data', (bytes) => heardBytes.set(socket, heard(socket) + bytes.toString('latin1')));
  sockets.push(socket);
  return socket;
}

const heardBytes = new WeakMap<Socket, string>();
const heard = (socket: Socket): string => heardBytes.get(socket) ?? '';

const isClosed = (socket: Socket): boolean => socket.destroyed;

describe.each<['connections' | 'connectionsPerPeer', CoordinatorConfig]>([
  // Those that say nothing are to stay for as long as the test takes.
  ['connections', { maxConnections: 4, firstByteMs: 600_000 }],
  ['connectionsPerPeer', { maxConnectionsPerPeer: 4, firstByteMs: 600_000 }],
])('%s', (limit, config) => {
  test('so many are open at once; another one is closed, and there is room again when one has gone', async () => {
    const client = await serve(config);
    const { address } = cluster.coordinator;
    const seen = (): number => cluster.coordinator.status().connections;
    await statusOf(client);
    const others = [open(address), open(address), open(address)];
    await until(
      'three of them and the client are there',
      () => seen(),
      (seen) => seen === 4,
    );
    expect(others.map(isClosed)).toEqual([false, false, false]);
    triedLimit(limit, seen(), 4);
    const tooMany = open(address);
    await until('the one too many is closed', () => isClosed(tooMany));
    triedLimit(limit, seen() + 1, 4);
    expect(others.map(isClosed)).toEqual([false, false, false]);
    expect(await reached(client, limit)).toBe(1);
    expect(cluster.events('limit.reached')).toMatchObject([{ limit, peer: '127.0.0.1', times: 1 }]);
    const words = /it has as many connections.* as it takes: 4 \(shoal coordinator --max-conn/;
    // It has a moment to ask why, which a machine that is busy may not answer in time.
    const told = await until(
      'a client is told why',
      () => ending(connectPool(address, { connectTimeoutMs: 1_000 })),
      ({ message }) => words.test(message),
    );
    expect(told.code).toBe('CANNOT_CONNECT');
    others[0]?.destroy();
    await until(
      'one has gone',
      () => seen(),
      (seen) => seen === 3,
    );
    triedLimit(limit, seen(), 4);
    const next = open(address);
    await until(
      'another one is there',
      () => seen(),
      (seen) => seen === 4,
    );
    expect(isClosed(next)).toBe(false);
  });
});

describe('a connection that does not get on is closed', () => {
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
  const settings = Buffer.from('000000040000000000', 'hex');
  /** What is sent, and the limit that the connection runs into then. */
  const steps: readonly (readonly [LimitName, string, readonly Buffer[]])[] = [
    ['firstByteMs', 'that says nothing', []],
    ['handshakeMs', 'that begins and goes no further', [preface.subarray(0, 5)]],
    ['authenticationMs', 'that is greeted and calls nothing', [preface, settings]],
  ];

  test.each(steps)('%s: one %s', async (limit, _, bytes) => {
    const ms = 150;
    const client = await serve({ [limit]: ms });
    const openedAtMs = performance.now();
    const socket = open(cluster.coordinator.address);
    for (const each of bytes) socket.write(each);
    await until('it is closed', () => isClosed(socket));
    expect(performance.now() - openedAtMs).toBeGreaterThan(ms - 10);
    expect(await reached(client, limit)).toBe(1);
    expect(heard(socket), 'its last word').toContain(`LIMIT_REACHED ${limit} ${ms}\n`);
  });

  test('httpSilentMs: one to the HTTP port that says nothing', async () => {
    const client = await serve({ http: '127.0.0.1:0', httpSilentMs: 150 });
    const openedAtMs = performance.now();
    const socket = open(cluster.coordinator.httpAddress ?? '');
    await until('it is closed', () => isClosed(socket));
    expect(performance.now() - openedAtMs).toBeGreaterThan(140);
    expect(await reached(client, 'httpSilentMs')).toBe(1);
    expect(cluster.events('limit.reached')).toMatchObject([{ limit: 'httpSilentMs', peer: '127.0.0.1' }]);
  });

  test('but for one that is let in, whatever it waits for then', async () => {
    const client = await serve({ firstByteMs: 1_000, handshakeMs: 1_000, authenticationMs: 1_000 });
    const watch = client.cluster.watchEvents({});
    const ends: unknown[] = [];
    watch.on('error', (error) => ends.push(error));
    watch.on('data', () => {});
    await statusOf(client);
    const silent = open(cluster.coordinator.address);
    await until('a silent one is closed', () => isClosed(silent));
    expect(ends).toEqual([]);
    expect(cluster.coordinator.status().connections).toBe(1);
    watch.cancel();
  });

  test('handshakeMs: one that begins with TLS and goes no further', async () => {
    files = await TlsFiles.make();
    await serve({ handshakeMs: 150, tlsDir: files.folder.path });
    const socket = open(cluster.coordinator.address);
    // The head of a record that announces 512 bytes.
    socket.write(Buffer.from('1603010200', 'hex'));
    await until('it is closed', () => isClosed(socket));
    expect(cluster.events('limit.reached')).toMatchObject([{ limit: 'handshakeMs' }]);
  });

  test('authenticationMs: one that is greeted over TLS, and that nobody knows', async () => {
    files = await TlsFiles.make();
    await serve({ authenticationMs: 1_000, tlsDir: files.folder.path });
    const stranger = cluster.connect({ ca: files.authority.cert });
    expect(await ending(statusOf(stranger))).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(cluster.coordinator.status().connections).toBe(1);
    await until(
      'it is closed',
      () => cluster.events('limit.reached').length,
      (seen) => seen > 0,
    );
    expect(cluster.events('limit.reached')).toMatchObject([{ limit: 'authenticationMs' }]);
  });

  describe('authenticationMs: a call that anyone may make', () => {
    const ms = 300;
    const secret = newSecret();
    const health = '/grpc.health.v1.Health/';
    const asIs = (bytes: Buffer): Buffer => bytes;
    const empty = Buffer.alloc(0);
    let caller: Client;

    async function called(): Promise<Client> {
      await serve({ authenticationMs: ms, tokens: bearerLine({ secret, role: undefined }) });
      caller = new Client(cluster.coordinator.address, credentials.createInsecure());
      return caller;
    }
    afterEach(() => caller.close());

    /** The error that an open call ends with. */
    const endOf = (call: NodeJS.EventEmitter): Promise<{ code: string; message: string }> =>
      ending(
        new Promise((_resolve, reject) => {
          call.on('data', () => {});
          call.on('error', (error: ServiceError) => reject(errorFromStatus(error, { address: '' })));
        }),
      );
    const closed = { code: 'LIMIT_REACHED', message: expect.stringContaining('--authentication-ms') };

    test('keeps no connection: a watch is answered, and ends with it', async () => {
      const openedAtMs = performance.now();
      const watch = (await called()).makeServerStreamRequest(`${health}Watch`, asIs, asIs, empty);
      let answers = 0;
      watch.on('data', () => (answers += 1));
      expect(await endOf(watch)).toMatchObject(closed);
      expect(performance.now() - openedAtMs).toBeGreaterThan(ms - 10);
      expect(answers).toBe(1);
      await until(
        'it is closed',
        () => cluster.coordinator.status().connections,
        (seen) => seen === 0,
      );
    });

    test('keeps none by sending nothing, either', async () => {
      const path = '/shoal.v1.AccessService/JoinCluster';
      const join = (await called()).makeBidiStreamRequest(path, asIs, asIs);
      expect(await endOf(join)).toMatchObject(closed);
      await until(
        'it is closed',
        () => cluster.coordinator.status().connections,
        (seen) => seen === 0,
      );
    });

    test('is answered to a probe, over as many connections as that takes', async () => {
      const probe = await called();
      const check = (): Promise<void> =>
        new Promise((resolve, reject) => {
          probe.makeUnaryRequest(`${health}Check`, asIs, asIs, empty, (error) => {
            if (error === null) resolve();
            else reject(error);
          });
        });
      await check();
      const { READY } = connectivityState;
      await until(
        'it is closed',
        () => probe.getChannel().getConnectivityState(false),
        (seen) => seen !== READY,
      );
      await check();
      expect(cluster.events('limit.reached')).toMatchObject([{ limit: 'authenticationMs' }]);
    });

    test('ends beside calls of somebody who is known, and those do not', async () => {
      const known = new Metadata();
      known.set('authorization', `Bearer ${secret}`);
      const mixed = await called();
      const events = '/shoal.v1.ClusterService/WatchEvents';
      const kept = mixed.makeServerStreamRequest(events, asIs, asIs, empty, known);
      const ends: unknown[] = [];
      kept.on('data', () => {}).on('error', (error) => ends.push(error));
      const watch = mixed.makeServerStreamRequest(`${health}Watch`, asIs, asIs, empty);
      expect(await endOf(watch)).toMatchObject(closed);
      expect(ends).toEqual([]);
      expect(cluster.coordinator.status().connections).toBe(1);
      kept.cancel();
    });
  });

  test('idleMs: one without a call; its client opens another one when it needs it', async () => {
    const client = await serve({ idleMs: 100 });
    await statusOf(client);
    await until(
      'it is closed',
      () => cluster.coordinator.status().connections,
      (seen) => seen === 0,
    );
    // On a busy machine a call may meet the end of a connection that was idle once more; a pool asks again by itself.
    const status = await until('it is answered', () => statusOf(client).catch(() => undefined));
    expect(status?.connections).toBe(1);
    expect(status?.limitsReached['idleMs']).toBeGreaterThanOrEqual(1);
    expect(cluster.events('limit.reached')).toEqual([]);
    const bare = connectHttp2(`http://${cluster.coordinator.address}`);
    const words = new Promise<string>((resolve) => {
      bare.on('goaway', (_code, _last, data) => resolve(Buffer.from(data ?? '').toString()));
    });
    bare.on('error', () => {});
    const call = bare.request({ ':path': '/nowhere', ':method': 'POST' });
    call.on('error', () => {}).resume();
    expect(await words, 'whoever is closed is told why').toBe('LIMIT_REACHED idleMs 100\n');
    bare.destroy();
  });

  test('keepaliveTimeoutMs: one that stood still finds out why when it wakes up', async () => {
    await serve({ keepaliveMs: 50, keepaliveTimeoutMs: 50 });
    const socket = open(cluster.coordinator.address);
    socket.write(preface);
    socket.write(settings);
    await until('it is closed', () => isClosed(socket));
    expect(heard(socket)).toContain('LIMIT_REACHED keepaliveTimeoutMs 50\n');
  });

  // That one which gives a sign of life goes on: libs/protocol/src/time-limits.test.ts, where no machine is too slow for it.
  test('keepaliveMs and keepaliveTimeoutMs: one that gives no sign of life any more when it is asked', async () => {
    await serve({ keepaliveMs: 1_000, keepaliveTimeoutMs: 300 });
    await using proxy = await FaultProxy.to(cluster.coordinator.address);
    const silent = new RawClient(proxy.address);
    await statusOf(silent);
    const silentAtMs = performance.now();
    proxy.halfOpen('server');
    await until(
      'it is closed',
      () => cluster.coordinator.status().connections,
      (seen) => seen === 0,
    );
    expect(performance.now() - silentAtMs).toBeGreaterThan(290);
    const { limitsReached } = cluster.coordinator.status();
    expect(limitsReached['keepaliveMs']).toBeGreaterThanOrEqual(1);
    expect(limitsReached['keepaliveTimeoutMs']).toBe(1);
    expect(cluster.events('limit.reached')).toMatchObject([{ limit: 'keepaliveTimeoutMs' }]);
    silent.close();
  });
});

test('concurrentStreams: so many calls are open on a connection; another one waits for one of them', async () => {
  const client = await serve({ maxStreamsPerConnection: 4 });
  // Each client of a service has a connection of its own.
  const { jobs } = client;
  const open = [jobs.map(), jobs.map(), jobs.map(), jobs.map()];
  for (const call of open) call.on('error', () => {});
  let answered = false;
  const listed = new Promise<void>((resolve) => {
    jobs.listJobs({ pageToken: '' }, () => {
      answered = true;
      resolve();
    });
  });
  // Another connection has its answer meanwhile, time after time.
  for (let times = 0; times < 20; times++) await statusOf(client);
  expect(answered).toBe(false);
  expect(await reached(client, 'concurrentStreams')).toBeGreaterThanOrEqual(1);
  triedLimit('concurrentStreams', open.length + 1, 4);
  open[0]?.cancel();
  await listed;
  for (const call of open) call.cancel();
});

describe('wrongTokens', () => {
  const secret = newSecret();
  const config = { tokens: bearerLine({ secret, role: undefined }), maxWrongTokens: 3 };

  test('the third in a row closes the ears of the coordinator to tokens from there, for a second at first', async () => {
    await serve(config);
    const guess = async (): Promise<string> => {
      const { code } = await ending(statusOf(cluster.connect(undefined, newSecret())));
      return code;
    };
    const known = cluster.connect(undefined, secret);
    await statusOf(known);
    const right = () => ending(statusOf(cluster.connect(undefined, secret)));
    // A busy machine may take longer than that second for what has to come in it.
    const late = await until(
      'the right one comes in that second, and is not looked at',
      async () => {
        expect([await guess(), await guess(), await guess()]).toEqual(Array(3).fill('UNAUTHENTICATED'));
        return right();
      },
      ({ code }) => code === 'TOO_MANY_TRIES',
    );
    expect(late.message).toMatch(/127\.0\.0\.1.*1 s/);
    // Whoever has shown the right one over this connection is not shut out by somebody else's guesses.
    expect(await reached(known, 'wrongTokens')).toBe(1);
    await until('the second is over', async () => {
      const { code } = await right();
      return code === 'OK';
    });
  });

  test('two, and the right one, and two more close nothing', async () => {
    await serve(config);
    for (let round = 0; round < 2; round++) {
      for (let guess = 0; guess < 2; guess++) {
        const { code } = await ending(statusOf(cluster.connect(undefined, newSecret())));
        expect(code).toBe('UNAUTHENTICATED');
      }
      await statusOf(cluster.connect(undefined, secret));
    }
  });

  test('tokens to join with are guessed at no faster', async () => {
    files = await TlsFiles.make();
    await serve({ tlsDir: files.folder.path, maxWrongTokens: 2 });
    const { access } = cluster.connect({ ca: files.authority.cert });
    const guess = (): Promise<{ code: string }> =>
      ending(
        unary<JoinClusterRequest, JoinClusterResponse>((request, done) => access.joinCluster(request, done), {
          secret: newSecret(),
          name: 'a',
          certificateRequest: 'none',
        }),
      );
    expect([(await guess()).code, (await guess()).code, (await guess()).code]).toEqual([
      'UNAUTHENTICATED',
      'UNAUTHENTICATED',
      'TOO_MANY_TRIES',
    ]);
  });
});

test('joinTokens: so many can be used at once; another one is refused by an error that names the option, and counted', async () => {
  files = await TlsFiles.make();
  await serve({ tlsDir: files.folder.path, maxJoinTokens: 2 });
  const boss = cluster.connect(await files.identity({ name: 'boss', role: 'admin' }));
  const make = (): Promise<{ code: string; message: string }> =>
    ending(
      unary<CreateJoinTokenRequest, CreateJoinTokenResponse>(
        (request, done) => boss.access.createJoinToken(request, done),
        { role: 'agent', name: '', ttlMs: 60_000 },
      ),
    );
  expect([(await make()).code, (await make()).code]).toEqual(['OK', 'OK']);
  expect(await reached(boss, 'joinTokens')).toBe(0);
  const { code, message } = await make();
  expect(code).toBe(limits.joinTokens.error);
  expect(message).toContain('3 is over the limit of 2 (shoal coordinator --max-join-tokens');
  expect(await reached(boss, 'joinTokens')).toBe(1);
});

/** A file of so much, in the place of what is there, in one step. */
async function swap(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

describe('files of the coordinator: it starts with one that is as long as it may be and with no longer one, and one that grows is not used and is counted', () => {
  const serials = (count: number): string =>
    Array.from({ length: count }, (_, at) => `serial ${at.toString(16).padStart(32, '0')}\n`).join('');
  const secret = newSecret();
  const tokens = (bytes: number): string => `${bearerLine({ secret, role: 'viewer' })}\n`.padEnd(bytes, '#');

  const triedOn = async (
    limit: LimitName,
    path: string,
    file: (size: number) => string,
    started: Started,
  ) => {
    for (const size of [started.most - 1, started.most, started.most + 1]) {
      await swap(path, file(size));
      const { code, message } = await ending(serve(started.config));
      triedLimit(limit, size, started.most);
      if (size <= started.most) expect(`${size}: ${code}`).toBe(`${size}: OK`);
      else expect([code, message]).toEqual(['FILE_NOT_USABLE', expect.stringMatching(started.error)]);
      await cluster.stop();
    }
    await swap(path, file(started.most));
    await serve(started.config);
    const watching = started.connect();
    expect(await reached(watching, limit)).toBe(0);
    await swap(path, file(started.most + 1));
    const status = await until(
      'it is found',
      () => statusOf(watching),
      ({ protection }) => (protection?.troubles.length ?? 0) > 0,
    );
    expect(status.protection?.troubles).toEqual([expect.stringMatching(started.error)]);
    expect(status.limitsReached[limit]).toBe(1);
    return status;
  };

  test('revoked.txt', async () => {
    files = await TlsFiles.make();
    const admin = await files.identity({ name: 'boss', role: 'admin' });
    const { protection } = await triedOn('revocations', files.folder.revoked.path, serials, {
      config: { tlsDir: files.folder.path, maxRevocations: 3, certificateCheckMs: 20 },
      connect: () => cluster.connect(admin),
      most: 3,
      error: /it has 4 entries, and may have 3 \(shoal coordinator --max-revocations\)/,
    });
    expect(protection?.revoked, 'the earlier list is in force').toBe(3);
  });

  test('the token file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-limits-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const tokenFile = join(folder, 'tokens');
    await triedOn('tokenFileBytes', tokenFile, tokens, {
      config: { tokenFile, maxTokenFileBytes: 100, certificateCheckMs: 20 },
      connect: () => cluster.connect(undefined, secret),
      most: 100,
      error: /it has 101 bytes, and may have 100 \(shoal coordinator --max-token-file-bytes\)/,
    });
  });
});

interface Started {
  readonly config: CoordinatorConfig;
  readonly connect: () => RawClient;
  readonly most: number;
  readonly error: RegExp;
}

describe('what the coordinator sends, and is sent ahead', () => {
  test('partBytes: a bundle that is one byte smaller comes in one part, as one of that size does, and a bigger one in two', async () => {
    const client = await serve({ partBytes: 4_096 });
    const parts = async (bytes: number): Promise<number[]> => {
      const sha256 = await client.putBundle('x'.repeat(bytes));
      const sizes: number[] = [];
      for await (const { part } of client.bundles.getBundle({ sha256 })) sizes.push(part.byteLength);
      return sizes;
    };
    expect([await parts(4_095), await parts(4_096), await parts(4_097)]).toEqual([
      [4_095],
      [4_096],
      [4_096, 1],
    ]);
    expect(await reached(client, 'partBytes'), 'one travelled in parts').toBe(1);
    for (const bytes of [4_095, 4_096, 4_097]) triedLimit('partBytes', bytes, 4_096);
  });

  test('streamWindowBytes: whoever connects is granted as much for each call', async () => {
    await serve({ streamWindowBytes: 100_000 });
    const session = connectHttp2(`http://${cluster.coordinator.address}`);
    session.on('error', () => {});
    await until(
      'it is granted',
      () => session.remoteSettings?.initialWindowSize,
      (seen) => seen === 100_000,
    );
    session.destroy();
  });
});

describe('a producer that may send nothing more', () => {
  test.each<[LimitName, CoordinatorConfig, Partial<JobOptions>, string]>([
    ['windowItems', {}, { windowItems: 3 }, 'windowItems (3 items)'],
    ['windowBytes', { windowBytes: 10 }, {}, 'windowBytes (10 B)'],
  ])('%s: is counted with what holds it, and its job says so', async (limit, config, options, words) => {
    const client = await serve(config);
    const sha256 = await client.putBundle(source);
    const jobId = await client.createJob(sha256, 'inc', options);
    const heldBy = async (): Promise<string | undefined> => (await client.info(jobId))?.progress?.heldBy;
    expect(await heldBy()).toBe('');
    const reading = client.read(jobId);
    const pushed = client.push(jobId, [1, 2, 3, 4], 3);
    await until(
      'it is held',
      async () => (await statusOf(client)).limitsWaiting[limit],
      (seen) => seen === 1,
    );
    expect(await heldBy()).toBe(words);
    expect(await reached(client, limit)).toBe(1);
    await cluster.agent({ processes: 1 });
    await pushed;
    await reading;
    expect((await statusOf(client)).limitsWaiting).toEqual({});
  });
});
