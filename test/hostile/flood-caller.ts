import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { credentials } from '@grpc/grpc-js';
import { ClusterServiceClient, clientOptions, closingForGood, ownPeer } from '@shoal/protocol';
import { headerBlock, http2Frame } from './http2-frame.ts';

/*
 * Calls somebody who answers with headers that do not end, again and again, each time on a channel of its own:
 * `flood-caller.ts CALLS HEADERS`. Prints how many of the calls have failed, if it lives to do so.
 *
 * HEADERS is `few`, where Node gives the connection up, or `many`, where it gives up the call, and whoever made it then
 * closes the channel.
 */

const [calls, headers] = [Number(process.argv[2]), process.argv[3]];
const settings = http2Frame(4, 0, 0, Buffer.alloc(0));
const block = headers === 'few' ? headerBlock.subarray(0, headerBlock.length / 150) : headerBlock;
const flood = Buffer.concat([
  http2Frame(1, 0, 1, Buffer.concat([Buffer.of(0x88), block])),
  ...Array.from({ length: 40 }, () => http2Frame(9, 0, 1, block)),
]);

const server = createServer((socket: Socket) => {
  socket.on('error', () => {});
  socket.write(settings);
  socket.once('data', () => socket.write(flood));
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;

let failed = 0;
for (let made = 0; made < calls; made += 1) {
  const client = new ClusterServiceClient(
    address,
    closingForGood(credentials.createInsecure()),
    clientOptions,
  );
  await new Promise<void>((resolve) => {
    client.getStatus({ client: ownPeer }, (error) => {
      if (error !== null) failed += 1;
      client.close();
      resolve();
    });
  });
}
process.stdout.write(`${failed}\n`);
process.exit();
