import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { ServerCredentials } from '@grpc/grpc-js';
import { afterEach, expect, test, vi } from 'vitest';
import { createServer as createShoalServer } from './server.ts';

// A name with two addresses, whatever the machine knows of names.
vi.mock('node:dns/promises', () => ({
  lookup: () => Promise.resolve([{ address: '127.0.0.1' }, { address: '127.0.0.2' }]),
}));

let taken: Server | undefined;
afterEach(() => taken?.close());

async function listening(host: string, port = 0): Promise<Server> {
  const server = createServer().listen(port, host);
  await once(server, 'listening');
  return server;
}

test('where one of several addresses cannot be had, none is listened on', async () => {
  taken = await listening('127.0.0.2');
  const { port } = taken.address() as AddressInfo;
  const server = createShoalServer([]);
  await expect(
    server.listen(`two.example:${port}`, ServerCredentials.createInsecure()),
  ).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
  // The first one was had for a moment, and is free again.
  const first = await listening('127.0.0.1', port);
  first.close();
  await server.close(0);
});

test('a name with several addresses is listened on at the same port of each', async () => {
  const server = createShoalServer([]);
  const port = await server.listen('two.example:0', ServerCredentials.createInsecure());
  for (const host of ['127.0.0.1', '127.0.0.2']) {
    await expect(listening(host, port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  }
  await server.close(0);
});
