/**
 * Peers that mean harm, against a coordinator and an agent as users start them. What the network does by accident is in
 * test/chaos; the same attacks in full are `npm run hostile`.
 *
 * After each of them the coordinator runs the job of somebody who means well, and has grown by no more than a little.
 */
import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2';
import { connect as dial } from 'node:net';
import { gzipSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { bearerLine, newSecret } from '@shoal/credentials';
import { connect } from 'shoal';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { FrameAttack } from '../hostile/frame-attack.ts';
import { headerBlock, http2Frame } from '../hostile/http2-frame.ts';
import { isBorderline, medianOf, openSilent } from '../hostile/silence.ts';
import { type Memory, Victim } from '../hostile/victim.ts';
import { Random } from '../simulation/random.ts';
import { TestCluster, until } from './test-cluster.ts';
import { TlsFiles } from './tls-files.testkit.ts';

let victim: Victim;
let before: Memory;
beforeAll(async () => {
  victim = await Victim.start(['--max-jobs', '200', '--first-byte-ms', '3000']);
  await victim.works();
  before = await victim.memory();
});
afterAll(() => victim.stop());

afterEach(async () => {
  expect(victim.coordinator.alive, victim.coordinator.story()).toBe(true);
  expect(await victim.works()).toBe(true);
  const { alive, rss } = await victim.memory();
  expect(rss - before.rss, 'MiB more are resident than at the start').toBeLessThan(100);
  expect(alive - before.alive, 'MiB more are alive than at the start').toBeLessThan(16);
});

async function session(): Promise<ClientHttp2Session> {
  const opened = connectHttp2(`http://${victim.address}`);
  opened.on('error', () => {});
  await once(opened, 'connect');
  return opened;
}

const path = '/shoal.v1.ClusterService/GetStatus';
const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };

/** Sends bytes as the request of a call; resolves with the status that it ends with and its words. */
async function ask(
  bytes: Buffer,
  more: Record<string, string> = {},
): Promise<{ code: number; words: string }> {
  const client = await session();
  const call = client.request({ ...headers, ...more });
  let ending: Record<string, unknown> = {};
  call.on('response', (answer) => (ending = { ...ending, ...answer }));
  call.on('trailers', (trailers) => (ending = { ...ending, ...trailers }));
  call.on('error', () => {});
  call.resume();
  // Its end never comes: nobody waits for it.
  call.write(bytes);
  await until(
    'the call is over',
    () => ending['grpc-status'],
    (seen) => seen !== undefined,
  );
  client.destroy();
  return { code: Number(ending['grpc-status']), words: decodeURI(String(ending['grpc-message'])) };
}

/** The five bytes before a message. */
function head(isCompressed: boolean, length: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = isCompressed ? 1 : 0;
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

test('thousands of mutated frames, of messages and of HTTP/2, end calls and connections and nothing else', async () => {
  const attack = new FrameAttack(victim.address, new Random(7));
  await attack.run(6_000);
  expect(attack.sent).toBeGreaterThanOrEqual(6_000);
});

test('mutated frames of somebody who was let in, with a certificate and a token, end calls and connections and nothing else', async () => {
  const files = await TlsFiles.make();
  const guarded = new TestCluster();
  onTestFinished(async () => {
    await guarded.stop();
    await files.remove();
  });
  const token = newSecret();
  await guarded.listen({ tlsDir: files.folder.path, tokens: bearerLine({ secret: token, role: undefined }) });
  await guarded.agent({ processes: 1, tlsDir: await files.agentFolder('agent-1') });
  const tls = await files.identity({ name: 'mallory', role: 'client' });
  const { address } = guarded.coordinator;
  const attack = new FrameAttack(address, new Random(11), { tls, token });
  await attack.run(1_500);
  expect(attack.answers.all).toBeGreaterThan(20);
  expect(attack.answers.toStrangers, 'it was known who called').toBe(0);
  await using pool = await connect(address, { tls: await files.identity({ name: 'ann', role: 'client' }) });
  expect(await pool.map((x: number) => x * x, [1, 2, 3])).toEqual([1, 4, 9]);
});

test('a message that announces 4 GB is refused before it comes', async () => {
  expect(await ask(head(false, 0xffff_ffff))).toEqual({
    code: status.RESOURCE_EXHAUSTED,
    words:
      'Bytes of a message: 4294967295 is over the limit of 4194304 (shoal coordinator --max-message-bytes).',
  });
});

test('a message of 100 KB that unpacks to 100 MB is unpacked no further than it may', async () => {
  const bomb = gzipSync(Buffer.alloc(100 * 2 ** 20), { level: 1 });
  expect(await ask(Buffer.concat([head(true, bomb.length), bomb]), { 'grpc-encoding': 'gzip' })).toEqual({
    code: status.RESOURCE_EXHAUSTED,
    words:
      'Bytes of a message, unpacked: more than 4194304 is over the limit of 4194304 (shoal coordinator --max-message-bytes).',
  });
});

test('calls that are reset as fast as they are made end their own connection', async () => {
  const client = await session();
  let made = 0;
  while (!client.closed && !client.destroyed && made < 100_000) {
    for (let burst = 0; burst < 200 && !client.closed; burst++, made++) {
      const call = client.request(headers);
      call.on('error', () => {});
      call.close(constants.NGHTTP2_CANCEL);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(made).toBeLessThan(100_000);
  client.destroy();
});

test('headers without an end are cut off', async () => {
  const [host = '', port] = victim.address.split(':');
  const socket = dial(Number(port), host);
  socket.on('error', () => {});
  socket.resume();
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
  socket.write(http2Frame(4, 0, 0, Buffer.alloc(0)));
  socket.write(http2Frame(1, 0, 1, headerBlock));
  let sent = 0;
  await until('it is cut off', () => {
    for (let burst = 0; burst < 20 && !socket.destroyed; burst++, sent += headerBlock.length) {
      socket.write(http2Frame(9, 0, 1, headerBlock));
    }
    return socket.destroyed;
  });
  expect(sent).toBeLessThan(100 * 2 ** 20);
});

test('more headers than anybody needs end the call', async () => {
  const client = await session();
  const call = client.request({ ...headers, padding: 'x'.repeat(60_000) });
  let ending: Record<string, unknown> = {};
  call.on('response', (answer) => (ending = answer));
  call.on('error', () => {});
  await until('the call is over', () => ending['grpc-status'] !== undefined || call.destroyed);
  expect(Number(ending['grpc-status'])).toBe(status.RESOURCE_EXHAUSTED);
  expect(decodeURI(String(ending['grpc-message']))).toMatch(/^Bytes of metadata.*--max-metadata-bytes/);
  client.destroy();
});

test('what silent connections cost is not judged while the bound lies within what the pairs of runs leave open', () => {
  // Of 100 values the median is between the 40th and the 60th, at 95 %.
  const ranks = Array.from({ length: 100 }, (_, at) => at / 1_000);
  const cost = medianOf(ranks.toReversed());
  expect(cost).toEqual({ value: 0.05, least: 0.04, most: 0.06 });
  expect([0.039, 0.04, 0.05, 0.059, 0.06].map((bound) => isBorderline(cost, bound))).toEqual([
    ...[false, true, true, true, false],
  ]);
});

test('a thousand silent connections hold nobody up, and are closed when their time is over', async () => {
  const sockets = await openSilent(victim.address, 1_000, 500);
  expect(await victim.works(10_000)).toBe(true);
  await until('all are closed', () => sockets.every(({ destroyed }) => destroyed));
});

describe('our client says in plain words', () => {
  test('that the coordinator has as many connections as it takes', async () => {
    const full = new TestCluster();
    await full.listen({ maxConnections: 2 });
    const { address } = full.coordinator;
    const [host = '', port] = address.split(':');
    const others = [1, 2].map(() => dial(Number(port), host).on('error', () => {}));
    await until(
      'it is full',
      () => full.coordinator.status().connections,
      (seen) => seen === 2,
    );
    await expect(connect(address, { connectTimeoutMs: 800 })).rejects.toMatchObject({
      code: 'CANNOT_CONNECT',
      message: expect.stringMatching(
        /it has as many connections as it takes: 2 \(shoal coordinator --max-connections\)/,
      ),
    });
    for (const socket of others) socket.destroy();
    await full.stop();
  });

  test('that its tokens are not looked at for a while, and for how long', async () => {
    const guarded = new TestCluster();
    await guarded.listen({ tokens: newSecret(), maxWrongTokens: 1 });
    const wrong = { token: newSecret(), connectTimeoutMs: 500 };
    const { address } = guarded.coordinator;
    await expect(connect(address, wrong)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      message: expect.stringContaining('its token is none of this coordinator'),
    });
    await expect(connect(address, wrong)).rejects.toMatchObject({
      code: 'TOO_MANY_TRIES',
      message: expect.stringMatching(/^Too many wrong tokens came from 127\.0\.0\.1: no token .* for \d/),
    });
    await guarded.stop();
  });
});
