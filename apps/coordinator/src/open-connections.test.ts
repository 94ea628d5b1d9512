import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { OpenConnections } from './open-connections.ts';

let server: Server;
let connections: OpenConnections;
const givenUp: string[] = [];

beforeEach(async () => {
  givenUp.length = 0;
  connections = new OpenConnections((connection) => givenUp.push(connection));
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  connections.close();
  server.close();
});

/** A connection: its client's end, ours, and its name. */
async function connection(): Promise<{ client: Socket; ours: Socket; name: string }> {
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => {});
  const [ours] = await accepted;
  ours.on('error', () => {});
  ours.resume();
  return { client, ours, name: `${ours.remoteAddress}:${ours.remotePort}` };
}

/** Also after an error, which `once` would reject with. */
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.once('close', () => resolve()));

test('a connection has a name for as long as it is open', async () => {
  const { client, ours, name } = await connection();
  expect(connections.named(name)).toBe(name);
  expect(connections.named('127.0.0.1:1')).toBeUndefined();
  client.destroy();
  await once(ours, 'close');
  expect(connections.named(name)).toBeUndefined();
});

test('one that its client has closed, or reset, was not given up', async () => {
  const first = await connection();
  first.client.end();
  await once(first.ours, 'close');
  const second = await connection();
  second.client.resetAndDestroy();
  await closed(second.ours);
  expect(givenUp).toEqual([]);
});

test('one that was closed here was given up, and no name any more from then on', async () => {
  const { ours, name } = await connection();
  ours.destroy();
  expect(connections.named(name)).toBeUndefined();
  await once(ours, 'close');
  expect(givenUp).toEqual([name]);
});

test('nothing is told after the end', async () => {
  const { ours } = await connection();
  connections.close();
  ours.destroy();
  await once(ours, 'close');
  expect(givenUp).toEqual([]);
});
