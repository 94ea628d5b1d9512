import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  Client,
  type ClientOptions,
  credentials,
  Metadata,
  ServerCredentials,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { ShoalError } from '@shoal/errors';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HealthClient, HealthCheckResponse_ServingStatus as Serving } from './gen/grpc/health/v1/health.ts';
import {
  type ClusterServiceServer,
  ClusterServiceService,
  GetStatusResponse,
} from './gen/shoal/v1/cluster.ts';
import { limits } from './limits.ts';
import { createServer, type ShoalServer } from './server.ts';
import { AgentServiceService, JobServiceService } from './services.ts';
import { errorFromStatus, statusOf } from './status.ts';
import { ownPeer } from './version.ts';

const run = promisify(execFile);
const bufPath = fileURLToPath(new URL('../../../node_modules/.bin/buf', import.meta.url));
const plain = ServerCredentials.createInsecure();

const cluster: Partial<ClusterServiceServer> = {
  getStatus: (_, respond) => respond(null, GetStatusResponse.create({ coordinator: ownPeer, agents: 3 })),
  listAgents: (_, respond) =>
    respond(statusOf(new ShoalError('AGENT_NOT_FOUND', { agent: 'a', agents: 'none', suggestion: '' }))),
};

let served: ShoalServer;
let port: number;

beforeEach(async () => {
  served = createServer([
    { definition: ClusterServiceService, handlers: cluster as ClusterServiceServer },
    { definition: JobServiceService, handlers: {} },
    { definition: AgentServiceService, handlers: {} },
  ]);
  port = await served.listen('127.0.0.1:0', plain);
});

afterEach(() => served.close(0));

/** What `buf curl` prints; an error of the call is printed, too. */
async function bufCurl(...args: string[]): Promise<string> {
  const flags = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...args];
  try {
    return (await run(bufPath, flags)).stdout;
  } catch (error) {
    return (error as { stderr: string }).stderr;
  }
}

test('whoever connects may send a message of 64 KiB without waiting for a word in between', async () => {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  let granted = session.remoteSettings.initialWindowSize;
  while (granted !== limits.streamWindowBytes.default) {
    await once(session, 'remoteSettings', { signal: AbortSignal.timeout(10_000) });
    granted = session.remoteSettings.initialWindowSize;
  }
  expect(granted).toBeGreaterThan(65_535);
  session.destroy();
});

test('a message that is no protobuf is its sender’s mistake, with one ErrorInfo that says so', async () => {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const raw = (bytes: Buffer): Buffer => bytes;
  const path = '/shoal.v1.ClusterService/GetStatus';
  const { promise, resolve } = Promise.withResolvers<ServiceError | null>();
  client.makeUnaryRequest(path, raw, raw, Buffer.from('ffffff', 'hex'), resolve);
  const error = await promise;
  client.close();
  expect(error).toMatchObject({ code: status.INVALID_ARGUMENT });
  const told = errorFromStatus(error as ServiceError, { address: '' });
  expect(told).toMatchObject({ code: 'REQUEST_INVALID', facts: { field: `Request to ${path}` } });
});

describe('with the tools that everybody has', () => {
  test.each(['grpc-v1', 'grpc-v1alpha'])(
    'buf curl lists every service by %s, health and reflection included',
    async (reflect) => {
      const listed = await bufCurl(
        '--reflect-protocol',
        reflect,
        '--list-services',
        `http://127.0.0.1:${port}`,
      );
      expect(listed.trim().split('\n')).toEqual([
        'grpc.health.v1.Health',
        'grpc.reflection.v1.ServerReflection',
        'grpc.reflection.v1alpha.ServerReflection',
        'shoal.v1.AgentService',
        'shoal.v1.ClusterService',
        'shoal.v1.JobService',
      ]);
    },
  );

  test('buf curl calls a method without a .proto file', async () => {
    const answer = await bufCurl(`http://127.0.0.1:${port}/shoal.v1.ClusterService/GetStatus`);
    expect(JSON.parse(answer)).toEqual({ coordinator: ownPeer, agents: 3 });
  });

  test('buf curl knows every method', async () => {
    const listed = await bufCurl('--list-methods', `http://127.0.0.1:${port}`);
    expect(listed).toContain('shoal.v1.JobService/Map');
    expect(listed.trim().split('\n')).toHaveLength(21);
  });

  test('an error has its details', async () => {
    const answer = await bufCurl(`http://127.0.0.1:${port}/shoal.v1.ClusterService/ListAgents`);
    expect(JSON.parse(answer)).toMatchObject({
      code: 'not_found',
      message: 'There is no agent a. Agents: none.',
      details: [{ type: 'google.rpc.ErrorInfo' }],
    });
  });
});

describe('its health', () => {
  const check = (service: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const client = new HealthClient(`127.0.0.1:${port}`, credentials.createInsecure());
      client.check({ service }, new Metadata(), (error, response) => {
        client.close();
        if (error === null) resolve(response.status);
        else reject(error);
      });
    });

  test('is that of the server and of each service', async () => {
    expect(await check('')).toBe(Serving.SERVING);
    expect(await check('shoal.v1.JobService')).toBe(Serving.SERVING);
    await expect(check('shoal.v1.NoService')).rejects.toMatchObject({ code: status.NOT_FOUND });
    served.health.setServing(false);
    expect(await check('')).toBe(Serving.NOT_SERVING);
    expect(await check('shoal.v1.JobService')).toBe(Serving.NOT_SERVING);
  });

  test('is told to those who watch, until the server closes', async () => {
    const client = new HealthClient(`127.0.0.1:${port}`, credentials.createInsecure());
    const seen: number[] = [];
    const ended = new Promise<void>((resolve) => {
      client
        .watch({ service: 'shoal.v1.JobService' })
        .on('data', (answer) => {
          seen.push(answer.status);
          if (seen.length === 1) void served.close(5_000);
        })
        .on('end', resolve);
    });
    await ended;
    client.close();
    expect(seen).toEqual([Serving.SERVING, Serving.NOT_SERVING]);
  });

  test('of a service that does not exist can be waited for', async () => {
    const client = new HealthClient(`127.0.0.1:${port}`, credentials.createInsecure());
    const call = client.watch({ service: 'none' });
    const answer = await new Promise<{ status: number }>((resolve) => call.once('data', resolve));
    call.on('error', () => {});
    call.cancel();
    client.close();
    expect(answer.status).toBe(Serving.SERVICE_UNKNOWN);
  });
});

describe('listening', () => {
  test('on a port that is taken names the address', async () => {
    const other = createServer([]);
    await expect(other.listen(`127.0.0.1:${port}`, plain)).rejects.toMatchObject({
      code: 'ADDRESS_IN_USE',
      facts: { address: `127.0.0.1:${port}`, option: '--listen' },
    });
  });

  test.each([
    ['no-such-host.invalid:1', 'the name in no-such-host.invalid:1 is unknown'],
    ['192.0.2.1:1', '192.0.2.1:1 is no address of this machine'],
  ])('on %s is refused with the reason', async (address, reason) => {
    await expect(createServer([]).listen(address, plain)).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      facts: { field: '--listen', reason },
    });
  });
});

describe('a hostile client', () => {
  /** Sends these bytes as the request of GetStatus; resolves with the code that the call ends with. */
  function send(bytes: Buffer, options: ClientOptions = {}): Promise<number> {
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options);
    const asIs = (message: Buffer): Buffer => message;
    return new Promise((resolve) => {
      client.makeUnaryRequest('/shoal.v1.ClusterService/GetStatus', asIs, asIs, bytes, (error) => {
        client.close();
        resolve(error?.code ?? status.OK);
      });
    });
  }

  afterEach(async () => {
    expect(await send(Buffer.alloc(0)), 'the server still answers').toBe(status.OK);
  });

  test.each([
    ['a length that runs beyond the end', '0affffffff0f'],
    ['a number without an end', 'ffffffffffffffffffffffffff'],
    ['a group that is never closed', '0b0b0b0b0b0b'],
  ])('that sends %s loses its call only', async (_, hex) => {
    expect(await send(Buffer.from(hex, 'hex'))).toBe(status.INVALID_ARGUMENT);
  });

  test('that sends a message over the limit is told so', async () => {
    expect(await send(Buffer.alloc(5 * 2 ** 20, 0x0a))).toBe(status.RESOURCE_EXHAUSTED);
  });

  test('that sends a small message which unpacks to a big one is told so', async () => {
    const gzip = { 'grpc.default_compression_algorithm': 2, 'grpc.max_send_message_length': -1 };
    expect(await send(Buffer.alloc(50 * 2 ** 20), gzip)).toBe(status.RESOURCE_EXHAUSTED);
  });

  test('that speaks no gRPC at all ends its own connection and nothing else', async () => {
    for (const bytes of [
      'GET / HTTP/1.1\r\n\r\n',
      '\x00'.repeat(1000),
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff',
    ]) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      const gone = new Promise((resolve) => socket.once('close', resolve));
      socket.write(bytes, 'latin1');
      socket.resume();
      socket.end();
      await gone;
    }
    expect(
      JSON.parse(await bufCurl(`http://127.0.0.1:${port}/shoal.v1.ClusterService/GetStatus`)),
    ).toMatchObject({ agents: 3 });
  });
});
