import { once } from 'node:events';
import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../cli/command.testkit.ts';
import { FaultProxy } from './fault-proxy.ts';

/** One end of a connection, and all that came of it. */
class End {
  readonly socket: Socket;
  readonly chunks: Buffer[] = [];
  closed = false;
  ended = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.chunks.push(chunk));
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

let server: Server;
let served: End[];
let proxy: FaultProxy;

beforeEach(async () => {
  served = [];
  server = createServer({ allowHalfOpen: true }, (socket) => served.push(new End(socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  proxy = await FaultProxy.to(`127.0.0.1:${port}`, { seed: 7 });
});
afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  for (const { socket } of served) socket.destroy();
  server.close();
});

interface Pair {
  readonly near: End;
  readonly far: End;
}

async function connected(): Promise<Pair> {
  const before = served.length;
  const near = new End(tcpConnect(Number(proxy.address.split(':')[1]), '127.0.0.1'));
  const far = await until('the server has it', () => served[before]);
  return { near, far };
}

/** Resolves with how long it took. */
async function arrived(end: End, text: string): Promise<number> {
  const fromMs = performance.now();
  await until(
    `${text.length} characters arrive`,
    () => (end.text === text ? true : undefined),
    () => end.text.slice(0, 80),
  );
  return performance.now() - fromMs;
}

test('passes everything on, in order, both ways, and the end after it', async () => {
  const { near, far } = await connected();
  const much = 'abcdefghij'.repeat(300_000);
  near.socket.end(much);
  await arrived(far, much);
  await until('the end arrives', () => far.ended || undefined);
  expect(near.closed).toBe(false);
  far.socket.end('answer');
  await arrived(near, 'answer');
  await until(
    'it is over',
    () => (near.closed && proxy.connections === 0) || undefined,
    () => `${near.closed} ${proxy.connections}`,
  );
});

test('delays one direction and not the other', async () => {
  const { near, far } = await connected();
  proxy.set({ toServer: { delayMs: 150 } });
  near.socket.write('slow');
  far.socket.write('fast');
  await arrived(near, 'fast');
  expect(far.text).toBe('');
  expect(await arrived(far, 'slow')).toBeGreaterThan(100);
});

test('jitter keeps the order within a connection and lets one connection overtake another', async () => {
  const pairs: Pair[] = [];
  while (pairs.length < 8) pairs.push(await connected());
  proxy.setBoth({ jitterMs: 80 });
  const arrivals: string[] = [];
  for (const [index, { far }] of pairs.entries())
    far.socket.on('data', (bytes) => arrivals.push(`${index}:${bytes}`));
  for (const [index, { near }] of pairs.entries()) near.socket.write(String(index));
  await until('all arrive', () => (arrivals.length === 8 ? true : undefined));
  expect(arrivals).not.toEqual(arrivals.toSorted());
  const { near, far } = await connected();
  for (const letter of 'abcdefghijklmnopqrstuvwxyz') near.socket.write(letter);
  await arrived(far, 'abcdefghijklmnopqrstuvwxyz');
});

test('cuts what is sent into small pieces', async () => {
  const { near, far } = await connected();
  proxy.set({ toServer: { sliceBytes: 3 } });
  near.socket.write('0123456789');
  await arrived(far, '0123456789');
  // A receiver that is slow may find two pieces at once, but never finds the whole.
  expect(far.chunks.length).toBeGreaterThan(1);
});

test('lets so many bytes a second through', async () => {
  const { near, far } = await connected();
  proxy.set({ toServer: { bytesPerSecond: 100_000, sliceBytes: 1_000 } });
  const text = 'x'.repeat(20_000);
  near.socket.write(text);
  expect(await arrived(far, text)).toBeGreaterThan(150);
});

test('stalls one way: nothing arrives there, the other way works, and what was sent arrives later', async () => {
  const { near, far } = await connected();
  proxy.set({ toServer: { stalled: true } });
  near.socket.write('held');
  far.socket.write('free');
  await arrived(near, 'free');
  expect(far.text).toBe('');
  proxy.mend();
  await arrived(far, 'held');
});

test('a sender that nobody reads is held back', async () => {
  const { near, far } = await connected();
  proxy.set({ toServer: { stalled: true } });
  const much = Buffer.alloc(64 * 2 ** 20);
  near.socket.write(much);
  await until('something is under way', () => near.socket.bytesWritten > 0 || undefined);
  expect(near.socket.writableLength).toBeGreaterThan(32 * 2 ** 20);
  proxy.mend();
  const received = (): number => far.chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
  await until('all of it arrives', () => received() === much.byteLength || undefined, received);
});

test('resets after so many bytes, in the middle of what is sent', async () => {
  const { near, far } = await connected();
  proxy.set({ toServer: { resetAfterBytes: 4 } });
  near.socket.write('0123456789');
  await until('both are cut off', () => (near.closed && far.closed) || undefined);
  expect('0123'.startsWith(far.text)).toBe(true);
  const again = await connected();
  proxy.mend();
  again.near.socket.write('new');
  await arrived(again.far, 'new');
});

test('resets every connection, and lets new ones through', async () => {
  const pairs = [await connected(), await connected()];
  expect(proxy.connections).toBe(2);
  proxy.reset();
  await until(
    'all are cut off',
    () => pairs.every(({ near, far }) => near.closed && far.closed) || undefined,
  );
  await connected();
  expect(proxy.connections).toBe(1);
});

test.each(['client', 'server'] as const)('a connection that only the %s believes in', async (untold) => {
  const { near, far } = await connected();
  proxy.halfOpen(untold);
  const [believer, other] = untold === 'client' ? [near, far] : [far, near];
  await until('the other side knows', () => other.closed || undefined);
  believer.socket.write('anybody there?');
  const again = await connected();
  again.near.socket.write('new');
  await arrived(again.far, 'new');
  expect([believer.closed, believer.ended]).toEqual([false, false]);
  proxy.tell();
  await until('it has been told', () => believer.closed || undefined);
});

test('refuses new connections until it is mended', async () => {
  proxy.refuse();
  const refused = new End(tcpConnect(Number(proxy.address.split(':')[1]), '127.0.0.1'));
  await until('it is refused', () => refused.closed || undefined);
  expect(served).toEqual([]);
  proxy.mend();
  await connected();
});
