/**
 * Limits of time to the millisecond: connections are real, and the clock is that of the test.
 *
 * Whatever goes over the network is waited for, so it does not matter how long that takes: meanwhile no time goes by.
 */
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect as dial, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { ServerCredentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { triedLimit } from '../../../test/limit-edges.ts';
import type { LimitName } from './limits.ts';
import { createServer, type ShoalServer } from './server.ts';
import type { ServerLimits } from './server-limits.ts';

const ms = 1_000;
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const settings = Buffer.from('000000040000000000', 'hex');
/** The head of an answer to the settings of the other side. */
const acknowledged = Buffer.from('000000040100000000', 'hex');

let server: ShoalServer;
let reached: LimitName[];
let ends: (() => void)[];
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  reached = [];
  ends = [];
});
afterEach(async () => {
  vi.useRealTimers();
  for (const end of ends) end();
  await server.close(0);
});

async function serve(limits: Partial<ServerLimits>): Promise<string> {
  server = createServer([], { limits, onLimit: (limit) => reached.push(limit) });
  return `127.0.0.1:${await server.listen('127.0.0.1:0', ServerCredentials.createInsecure())}`;
}

/** Waits for something that comes over the network, half a minute of the clock on the wall at most. */
async function until(what: string, look: () => boolean): Promise<void> {
  const deadline = process.hrtime.bigint() + 30_000_000_000n;
  while (!look()) {
    if (process.hrtime.bigint() > deadline) throw new Error(`${what}: not within 30 s; reached: ${reached}`);
    await turn();
  }
}

/** A bare connection, and what came over it. */
async function open(address: string, ...parts: readonly Buffer[]): Promise<{ heard: Buffer }> {
  const [host = '', port] = address.split(':');
  const socket: Socket = dial(Number(port), host);
  const said = { heard: Buffer.alloc(0) };
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    said.heard = Buffer.concat([said.heard, bytes]);
  });
  ends.push(() => socket.destroy());
  await until('it is there', () => server.connections === 1);
  for (const part of parts) socket.write(part);
  return said;
}

/** A client that calls nothing, and answers when it is asked for a sign of life. */
async function greet(address: string): Promise<ClientHttp2Session> {
  const session: ClientHttp2Session = connectHttp2(`http://${address}`);
  let isGreeted = false;
  session.on('error', () => {});
  session.once('localSettings', () => {
    isGreeted = true;
  });
  ends.push(() => session.destroy());
  await until('it is greeted', () => isGreeted);
  return session;
}

/** What was reached since, when so much time has gone by and whatever came of it has had its turns. */
async function after(passedMs: number): Promise<readonly LimitName[]> {
  vi.advanceTimersByTime(passedMs);
  for (let turns = 0; turns < 50; turns += 1) await turn();
  return reached.splice(0);
}

/** One millisecond before, at the limit, and one after it. */
async function edges(limit: LimitName): Promise<void> {
  expect(await after(ms - 1), 'a millisecond before').toEqual([]);
  triedLimit(limit, ms - 1, ms);
  vi.advanceTimersByTime(1);
  // That a connection was closed is heard over the network.
  await until('it is reached', () => reached.length > 0);
  expect(await after(0), 'at the limit').toEqual([limit]);
  triedLimit(limit, ms, ms);
  expect(await after(1), 'a millisecond later').toEqual([]);
  triedLimit(limit, ms + 1, ms);
}

/** With its last word. */
async function closed(): Promise<void> {
  vi.advanceTimersByTime(ms);
  await until('it is closed', () => server.connections === 0);
}

test('a connection that says nothing is closed when its time is over', async () => {
  await open(await serve({ firstByteMs: ms }));
  await edges('firstByteMs');
  await closed();
});

test('one that begins to speak has its time anew, and is closed when that is over', async () => {
  const said = await open(await serve({ handshakeMs: ms }), preface.subarray(0, 5));
  // The greeting of the other side: it has seen the first bytes.
  await until('it is heard', () => said.heard.length > 0);
  await edges('handshakeMs');
  await closed();
});

test('one that is greeted and calls nothing is closed when its time is over', async () => {
  await greet(await serve({ authenticationMs: ms }));
  await edges('authenticationMs');
  await closed();
});

test('one without a call is closed when it was idle for so long', async () => {
  await greet(await serve({ idleMs: ms }));
  await edges('idleMs');
  await closed();
});

test('one is asked for a sign of life after so long, and goes on when it gives one', async () => {
  const session = await greet(await serve({ keepaliveMs: ms, keepaliveTimeoutMs: 100 }));
  const signs: string[] = [];
  session.on('ping', () => {
    signs.push('given');
    // What is said after it is answered after it was heard.
    session.ping(() => signs.push('heard'));
  });
  expect(await after(ms - 1)).toEqual([]);
  triedLimit('keepaliveMs', ms - 1, ms);
  expect(await after(1)).toEqual(['keepaliveMs']);
  triedLimit('keepaliveMs', ms, ms);
  await until('it is heard', () => signs.length === 2);
  expect(await after(1), 'a millisecond later').toEqual([]);
  triedLimit('keepaliveMs', ms + 1, ms);
  expect(await after(ms - 2), 'long after an answer was due').toEqual([]);
  expect(await after(1), 'it is asked again').toEqual(['keepaliveMs']);
  expect(server.connections).toBe(1);
});

test('one that gives no sign of life is closed so long after it was asked', async () => {
  const said = await open(await serve({ keepaliveMs: 100, keepaliveTimeoutMs: ms }), preface, settings);
  await until('it is greeted', () => said.heard.includes(acknowledged));
  expect(await after(100), 'it is asked').toEqual(['keepaliveMs']);
  await edges('keepaliveTimeoutMs');
  await closed();
});
