import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { DialCredentials } from './dial-credentials.ts';

/** Why a connection to this host, over a socket whose other side ends it, did not come to be. */
async function complaint(host: string): Promise<string> {
  const server = createServer((socket) => socket.on('error', () => {}).destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const connector = new DialCredentials({ tls: () => ({}) })._createSecureConnector({
    scheme: 'dns',
    path: `${host}:7300`,
  });
  return connector.connect(socket).then(
    () => 'none',
    (error: Error) => error.message,
  );
}

test.each([
  '127.1',
  '0127.0.0.1',
  '0x7f.0.0.1',
  '2130706433',
  '127.0.0.1.',
  '08.1.1.1',
  '256.0.0.1',
  '１２７.0.0.1',
  '127。0。0。1',
])('%s is compared with no certificate: not everybody reads it alike', async (host) => {
  expect(await complaint(host)).toContain(`${host} is neither a name nor an address`);
});

test.each([
  '127.0.0.1',
  '[::1]',
  '[fe80::1%lo]',
  'localhost',
  'my_host',
  'Rack-2.example',
  'bücher',
  '10.0.0.x1',
])('%s is a name or an address', async (host) => {
  expect(await complaint(host)).not.toContain('is neither a name nor an address');
});
