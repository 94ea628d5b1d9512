import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import {
  type ChannelCredentials,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  status,
} from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import { clientOptions } from './channel-options.ts';
import { connectionFailure } from './connection-failure.ts';
import { DialCredentials } from './dial-credentials.ts';
import { ClusterServiceClient } from './gen/shoal/v1/cluster.ts';
import { errorFromStatus } from './status.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** What calling GetStatus there ends with. */
function call(
  address: string,
  channel: ChannelCredentials = credentials.createInsecure(),
  deadlineMs = 1500,
): Promise<Error> {
  const client = new ClusterServiceClient(address, channel, clientOptions);
  return new Promise((resolve, reject) => {
    client.getStatus(
      { client: undefined },
      new Metadata(),
      { deadline: Date.now() + deadlineMs },
      (error) => {
        client.close();
        if (error === null) reject(new Error('the call succeeded'));
        else resolve(errorFromStatus(error, { address: 'HOST:1', tries: 5, elapsedMs: 12_000 }));
      },
    );
  });
}

async function listening(server: TcpServer): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a coordinator that cannot be reached', () => {
  test('is named with the reason, the tries and the time', async () => {
    expect(await call('127.0.0.1:1')).toMatchObject({
      code: 'CANNOT_CONNECT',
      message:
        'Cannot reach coordinator HOST:1 (connection refused, tried 5 times in 12 s). Is it running? Start one: shoal coordinator, or shoal dev.',
    });
  });

  test('because its name is unknown', async () => {
    expect(await call('no-such-host.invalid:7300')).toMatchObject({
      code: 'CANNOT_CONNECT',
      facts: { reason: 'its name is unknown' },
    });
  });

  test('because a web server listens there', async () => {
    const address = await listening(createHttpServer((_, response) => response.end('hello')));
    expect(await call(address)).toMatchObject({
      code: 'CANNOT_CONNECT',
      facts: { reason: 'what listens there is no coordinator' },
    });
  });

  test('because what listens there says nothing', async () => {
    const silent = createTcpServer((socket) => cleanups.push(() => socket.destroy()));
    expect(await call(await listening(silent), undefined, 300)).toMatchObject({
      code: 'CANNOT_CONNECT',
      facts: { reason: 'no answer in time' },
    });
  });

  test('because it speaks no TLS', async () => {
    const server = new Server();
    cleanups.push(() => server.forceShutdown());
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    );
    expect(await call(`localhost:${port}`, new DialCredentials({ tls: () => ({}) }))).toMatchObject({
      code: 'TLS_FAILED',
      facts: { reason: 'what listens there speaks no TLS' },
    });
  });

  test('because it is a gRPC server of another kind or of an older version', async () => {
    const server = new Server();
    cleanups.push(() => server.forceShutdown());
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      ),
    );
    expect(await call(`127.0.0.1:${port}`)).toMatchObject({ code: 'VERSION_MISMATCH' });
  });
});

test('a connection that was cut off before it came to be may have been one too many, or too slow: the options are named', () => {
  const { message } = connectionFailure(status.UNAVAILABLE, 'read ECONNRESET', { address: 'HOST:1' });
  expect(message).toMatch(/as many connections as it takes, .*--first-byte-ms, --handshake-ms/);
});

describe('a connection that worked', () => {
  test.each([
    [status.UNAVAILABLE, 'Connection dropped', 'connection dropped'],
    [status.UNAVAILABLE, 'read ECONNRESET', 'connection reset'],
    [status.UNAVAILABLE, 'Keepalive timeout', 'it has gone silent'],
    [status.INTERNAL, 'Received RST_STREAM with code 2 (Internal server error)', 'connection dropped'],
    [status.CANCELLED, 'Cancelled on client', 'the call was cancelled'],
    [status.RESOURCE_EXHAUSTED, 'Bandwidth exhausted', 'Bandwidth exhausted'],
    [
      status.RESOURCE_EXHAUSTED,
      'Bandwidth exhausted or memory limit exceeded',
      'HTTP/2 refused a call: its connection holds as much in memory as it may (shoal coordinator --max-session-memory-bytes), or was sent headers without an end, or too much too fast',
    ],
    [status.UNAUTHENTICATED, 'who are you', 'UNAUTHENTICATED: who are you'],
    [99, 'odd', 'status 99: odd'],
    [status.UNAVAILABLE, '', 'unknown reason'],
  ])('ends with status %i (%s): CONNECTION_LOST, because %s', (code, details, reason) => {
    const error = connectionFailure(code, details, { address: 'HOST:1', connected: true });
    expect(error).toMatchObject({ code: 'CONNECTION_LOST', facts: { address: 'HOST:1', reason } });
  });

  test.each([
    [
      'Received message larger than max (4294967295 vs 4194304)',
      'A message to or from HOST:1: 4 GiB is over the limit of 4 MiB (fixed for one message).',
    ],
    [
      'Received message that decompresses to a size larger than 4194304',
      'A message from HOST:1, unpacked: more than 4 MiB is over the limit of 4 MiB (fixed for one message).',
    ],
  ])('is told what it is by a server that sends too much: %s', (details, words) => {
    const error = connectionFailure(status.RESOURCE_EXHAUSTED, details, {
      address: 'HOST:1',
      connected: true,
    });
    expect(error.message).toBe(words);
  });

  test('does not count as lost because of a message over the limit: another try would end the same', () => {
    const details = 'Received message larger than max (10000732 vs 4194304)';
    const error = connectionFailure(status.RESOURCE_EXHAUSTED, details, {
      address: 'HOST:1',
      connected: true,
    });
    expect(error.message).toBe(
      'A message to or from HOST:1: 9.5 MiB is over the limit of 4 MiB (fixed for one message).',
    );
    expect(error.code).toBe('LIMIT_REACHED');
  });
});
