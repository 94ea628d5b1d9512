import { once } from 'node:events';
import { connect, createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { expect, onTestFinished, test } from 'vitest';
import { triedLimit } from '../../../test/limit-edges.ts';
import { until } from '../../../test/until.ts';
import { clientOptions, serverOptions, serverSettings } from './channel-options.ts';
import { DialCredentials } from './dial-credentials.ts';
import {
  ClusterServiceClient,
  type ClusterServiceServer,
  ClusterServiceService,
  type WatchEventsRequest,
  WatchEventsResponse,
} from './gen/shoal/v1/cluster.ts';
import type { LimitName } from './limits.ts';
import { createServer } from './server.ts';
import { defaultServerLimits } from './server-limits.ts';
import { SessionWatch, type WatchedSession } from './session-watch.ts';
import { errorFromStatus } from './status.ts';

const streamWindowBytes = 100_000;
const limits = { ...defaultServerLimits, streamWindowBytes };

test.each([
  [-1, 0],
  [0, 1],
  [1, 1],
])('a call that nobody reads, and that has %i bytes more than it may send: %i waits', async (off, waits) => {
  triedLimit('streamWindowBytes', streamWindowBytes + off, streamWindowBytes);
  // Without grpc-js, which reads a little of a call in advance.
  const server = createHttp2Server({ settings: serverSettings(limits) });
  onTestFinished(() => void server.close());
  let watch: SessionWatch | undefined;
  let received: ServerHttp2Stream | undefined;
  server.on('session', (session) => {
    watch = new SessionWatch(session as unknown as WatchedSession, limits, {
      reached: () => {},
      silent: () => {},
    });
    session.setLocalWindowSize(2 * streamWindowBytes);
  });
  server.on('stream', (stream) => {
    received = stream.pause();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(() => session.destroy());
  await until('it was granted', () => {
    const bytes = session.remoteSettings?.initialWindowSize;
    return bytes === streamWindowBytes || bytes;
  });
  const call = session.request({ ':method': 'POST' });
  let isOut = false;
  call.write(Buffer.alloc(streamWindowBytes + off), () => {
    isOut = true;
  });
  if (off > 0) await until('it waits', () => watch?.waitingCalls === 1 || { waiting: watch?.waitingCalls });
  else await until('all is out', () => isOut);
  // What was sent before has been taken in when this is answered.
  await new Promise((resolve) => session.ping(resolve));
  expect([isOut, watch?.waitingCalls]).toEqual([off <= 0, waits]);
  received?.resume();
  await until(
    'all is out, and nobody waits',
    () => (isOut && watch?.waitingCalls === 0) || { isOut, waiting: watch?.waitingCalls },
  );
});

test.each([
  [-1, 1],
  [0, 2],
  [1, 2],
])('of 2 MiB for a connection and %i bytes Node is told %i MiB', (off, mebibytes) => {
  const maxSessionMemoryBytes = 2 * 2 ** 20 + off;
  triedLimit('sessionMemoryBytes', maxSessionMemoryBytes, 2 * 2 ** 20);
  expect(serverOptions({ ...limits, maxSessionMemoryBytes })).toMatchObject({
    'grpc-node.max_session_memory': mebibytes,
  });
});

test('a call beyond the memory of its connection is refused in words that name the option, and counted', async () => {
  const told: LimitName[] = [];
  const handlers: Partial<ClusterServiceServer> = {
    watchEvents: (call: ServerWritableStream<WatchEventsRequest, WatchEventsResponse>) => {
      call.write(WatchEventsResponse.fromPartial({ message: 'x'.repeat(2 ** 20) }));
    },
  };
  const served = createServer(
    [{ definition: ClusterServiceService, handlers: handlers as ClusterServiceServer }],
    { limits: { maxSessionMemoryBytes: 2 ** 20 }, onLimit: (limit) => told.push(limit) },
  );
  const port = await served.listen('127.0.0.1:0', ServerCredentials.createInsecure());
  const client = new ClusterServiceClient(`127.0.0.1:${port}`, new DialCredentials(), clientOptions);
  onTestFinished(async () => {
    client.close();
    await served.close(0);
  });
  let refusal: unknown;
  for (let calls = 0; refusal === undefined && calls < 20; calls++) {
    const call = client.watchEvents({});
    // Nobody reads it, so that all of it lies there.
    refusal = await new Promise((resolve) => {
      call.on('metadata', () => resolve(undefined));
      call.on('error', (error) => resolve(error));
    });
  }
  expect(errorFromStatus(refusal as never, { address: 'HOST:1', connected: true })).toMatchObject({
    code: 'CONNECTION_LOST',
    message: expect.stringContaining('--max-session-memory-bytes'),
  });
  await until('it is counted', () => {
    served.look();
    return told.includes('sessionMemoryBytes') || told;
  });
});
