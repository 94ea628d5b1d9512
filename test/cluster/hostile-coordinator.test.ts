/** What our client says where it is a coordinator, or what listens in its place, that means harm: which harm, in plain words. */
import { once } from 'node:events';
import { constants, createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { gzipSync } from 'node:zlib';
import { connect } from 'shoal';
import { expect, onTestFinished, test } from 'vitest';
import { Command } from '../cli/command.testkit.ts';
import { headerBlock, http2Frame } from '../hostile/http2-frame.ts';

const accepted = { ':status': 200, 'content-type': 'application/grpc' };

/** The five bytes before a message. */
function head(isCompressed: boolean, length: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = isCompressed ? 1 : 0;
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Where somebody answers every call so. */
async function answering(answer: (call: ServerHttp2Stream) => void): Promise<string> {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    session.on('error', () => {});
    sessions.add(session);
  });
  server.on('stream', (call) => {
    call.on('error', () => {});
    answer(call);
  });
  onTestFinished(() => {
    for (const session of sessions) session.destroy();
  });
  return await listening(server);
}

/** What a client is told that connects there. */
async function told(address: string): Promise<string> {
  const error = (await connect(address, { connectTimeoutMs: 1_000 }).catch((why: unknown) => why)) as {
    code: string;
    message: string;
  };
  return `${error.code} ${error.message}`.replaceAll(address, 'HOST:1');
}

/** HTTP/2 does not say at which end, nor which of these. */
const refusedByHttp2 =
  /^CANNOT_CONNECT .* \(HTTP\/2 refused a call: its connection holds as much in memory as it may \(shoal coordinator --max-session-memory-bytes\), or was sent headers without an end, or too much too fast, tried /;

test.each<readonly [string, (call: ServerHttp2Stream) => void, RegExp]>([
  [
    'announces a message of 4 GB',
    (call) => {
      call.respond(accepted);
      call.write(head(false, 0xffff_ffff));
    },
    /^LIMIT_REACHED A message to or from HOST:1: 4 GiB is over the limit of 4 MiB/,
  ],
  [
    'sends 100 KB that unpack to 100 MB',
    (call) => {
      const bomb = gzipSync(Buffer.alloc(100 * 2 ** 20), { level: 1 });
      call.respond({ ...accepted, 'grpc-encoding': 'gzip' });
      call.write(Buffer.concat([head(true, bomb.length), bomb]));
    },
    /^LIMIT_REACHED A message from HOST:1, unpacked: more than 4 MiB is over the limit of 4 MiB/,
  ],
  [
    'answers with what is no message',
    (call) => {
      call.respond(accepted);
      call.end(Buffer.concat([head(false, 4), Buffer.alloc(4, 0xff)]));
    },
    /^CANNOT_CONNECT Cannot reach coordinator HOST:1 \(its answer cannot be read: it is damaged, or of no coordinator, tried /,
  ],
  [
    'refuses every call',
    (call) => call.close(constants.NGHTTP2_REFUSED_STREAM),
    /^CANNOT_CONNECT Cannot reach coordinator HOST:1 \(it takes no further call, tried /,
  ],
  [
    'resets calls for being too many',
    (call) => call.close(constants.NGHTTP2_ENHANCE_YOUR_CALM),
    refusedByHttp2,
  ],
  [
    'ends the connection for being too busy',
    ({ session }) => {
      session?.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      session?.destroy();
    },
    refusedByHttp2,
  ],
  [
    'ends the connection for no reason',
    ({ session }) => {
      session?.goaway(constants.NGHTTP2_INTERNAL_ERROR);
      session?.destroy();
    },
    /^CANNOT_CONNECT Cannot reach coordinator HOST:1 \(connection (dropped|reset)/,
  ],
])('of one that %s', async (_, answer, words) => {
  expect(await told(await answering(answer))).toMatch(words);
});

/** Whether a call has begun in what a client has sent: headers of a call that has not would be an error by themselves. */
function asksAnything(heard: Buffer): boolean {
  const prefaceBytes = 24;
  for (let at = prefaceBytes; at + 9 <= heard.length; at += 9 + heard.readUIntBE(at, 3)) {
    if (heard[at + 3] === 1) return true;
  }
  return false;
}

// In a process of its own: Node has been seen to end one that closed many of such connections, by an assertion of its own.
test('of one that sends headers without an end', async () => {
  const bytesMax = 20 * 2 ** 20;
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.write(http2Frame(4, 0, 0, Buffer.alloc(0)));
    let heard = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      const wasAsked = asksAnything(heard);
      heard = Buffer.concat([heard, bytes]);
      if (wasAsked || !asksAnything(heard)) return;
      // The status 200 comes first.
      socket.write(http2Frame(1, 0, 1, Buffer.concat([Buffer.from([0x88]), headerBlock])));
      const goOn = (): void => {
        for (let burst = 0; burst < 20 && !socket.destroyed; burst++)
          socket.write(http2Frame(9, 0, 1, headerBlock));
        if (!socket.destroyed && socket.bytesWritten < bytesMax) setImmediate(goOn);
      };
      goOn();
    });
  });
  const address = await listening(server);
  const { stderr } = await Command.start(['status', '--address', address]).ended;
  expect(stderr).toContain('HTTP/2 refused a call: its connection holds as much in memory as it may');
  expect(stderr).toContain('or was sent headers without an end');
});
