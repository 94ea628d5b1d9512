import { once } from 'node:events';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type ChannelCredentials, credentials, status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { clientOptions } from './channel-options.ts';
import { closingForGood } from './closing-credentials.ts';
import { HealthClient } from './gen/grpc/health/v1/health.ts';

async function listen(port: number): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => {}));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

interface Vain {
  readonly port: number;
  readonly credentials: ChannelCredentials;
  /** Until the next try. */
  readonly backoffMs: number;
}

/** A call over a channel of its own to a port at which nobody listens yet; the channel is closed when it has failed. */
async function callInVain({ backoffMs, port, credentials }: Vain): Promise<void> {
  const options = { ...clientOptions, 'grpc.initial_reconnect_backoff_ms': backoffMs };
  const client = new HealthClient(`127.0.0.1:${port}`, credentials, options);
  await new Promise<void>((resolve) => client.check({ service: '' }, () => resolve()));
  client.close();
}

async function freePort(): Promise<number> {
  const probe = await listen(0);
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}

test('a channel that was closed between two tries never connects, however late the server comes', async () => {
  const [wrapped, plain] = [await freePort(), await freePort()];
  const insecure = (): ChannelCredentials => credentials.createInsecure();
  await callInVain({ port: wrapped, credentials: closingForGood(insecure()), backoffMs: 200 });
  await callInVain({ port: plain, credentials: insecure(), backoffMs: 600 });
  const servers = [await listen(wrapped), await listen(plain)] as const;
  let connections = 0;
  servers[0].on('connection', () => {
    connections += 1;
  });
  // The channel without the wrapping does come back to life, after the time at which the other one would have.
  const [socket] = (await once(servers[1], 'connection')) as [Socket];
  expect(connections).toBe(0);
  socket.destroy();
  for (const server of servers) server.close();
});

test('a channel that is closed lets go of its connection, whatever the other side does', async () => {
  // It takes calls in and never answers.
  const server = createHttp2Server();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const client = new HealthClient(
    `127.0.0.1:${port}`,
    closingForGood(credentials.createInsecure()),
    clientOptions,
  );
  const [called, failed] = [once(server, 'stream'), Promise.withResolvers<unknown>()];
  client.check({ service: '' }, (error) => failed.resolve(error));
  const [stream] = (await called) as [ServerHttp2Stream];
  stream.on('error', () => {});
  client.close();
  expect(await failed.promise).toMatchObject({ code: status.UNAVAILABLE });
  server.close();
});

test('a connection that keepalive has given up is closed, although its other side says nothing any more', async () => {
  const server = createHttp2Server();
  server.on('stream', (stream) => stream.on('error', () => {}));
  server.listen(0, '127.0.0.1');
  const between = createServer({ allowHalfOpen: true });
  between.listen(0, '127.0.0.1');
  await Promise.all([once(server, 'listening'), once(between, 'listening')]);
  const portOf = (at: Server | typeof server): number => (at.address() as { port: number }).port;
  between.on('connection', (near: Socket) => {
    near.on('error', () => {});
    const far = connect(portOf(server), '127.0.0.1');
    far.on('error', () => {});
    near.pipe(far).pipe(near);
    near.once('pause', () => far.unpipe());
  });
  const accepted = once(between, 'connection') as Promise<[Socket]>;
  const client = new HealthClient(
    `127.0.0.1:${portOf(between)}`,
    closingForGood(credentials.createInsecure()),
    { ...clientOptions, 'grpc.keepalive_time_ms': 100, 'grpc.keepalive_timeout_ms': 100 },
  );
  const [called, failed] = [once(server, 'stream'), Promise.withResolvers<unknown>()];
  client.check({ service: '' }, (error) => failed.resolve(error));
  const [near] = await accepted;
  await called;
  // A machine that lost its power: the connection is there, and nobody is at its other end.
  near.unpipe();
  near.pause();
  const closed = new Promise<NodeJS.ErrnoException>((resolve) => near.once('error', resolve));
  expect(await failed.promise).toMatchObject({ code: status.UNAVAILABLE });
  // The next call has a connection of its own, in the same channel, which goes on.
  client.check({ service: '' }, () => {});
  // Who has closed answers a byte with a reset; who only waits for the end takes it in.
  const probe = setInterval(() => near.write('.'), 50);
  expect((await closed).code).toMatch(/ECONNRESET|EPIPE/);
  clearInterval(probe);
  client.close();
  for (const each of [between, server]) each.close();
});
