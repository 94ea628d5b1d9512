import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { LimitName } from '@shoal/protocol';
import { pino } from 'pino';
import { afterEach, expect, test, vi } from 'vitest';
import { triedLimit } from '../../../../test/limit-edges.ts';
import { EventFeed } from './event-feed.ts';
import { LimitCounts } from './limit-counts.ts';
import { MetricsHttp } from './metrics-http.ts';

const limits = { maxConnections: 4, silentMs: 10_000 };
const quiet = new EventFeed(pino({ level: 'silent' }));
let counts: LimitCounts;

let http: MetricsHttp | undefined;
const ends: Socket[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const socket of ends.splice(0)) socket.destroy();
  http?.close();
});

async function listen(
  host: string,
  port = 0,
  text = 'shoal_agents 1\n',
  silentMs = limits.silentMs,
): Promise<MetricsHttp> {
  counts = new LimitCounts(quiet, () => performance.now());
  return await MetricsHttp.listen(
    { address: { host, port }, maxConnections: limits.maxConnections, silentMs },
    () => text,
    counts,
  );
}

const reached = (limit: LimitName): number => counts.all()[limit] ?? 0;

function ask(
  path: string,
  host: string,
  method = 'GET',
): Promise<{ code: number | undefined; body: string }> {
  const [hostname, port] = http?.address.split(':') ?? [];
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, method, headers: { host } }, (response) => {
      let body = '';
      response.on('data', (part) => (body += String(part)));
      response.on('end', () => resolve({ code: response.statusCode, body }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

test.each([
  ['/metrics', '127.0.0.1:8300', 'GET', 200],
  ['/metrics', 'localhost', 'GET', 200],
  ['/metrics', '[::1]:8300', 'GET', 200],
  // A page in somebody's browser, under a name that was made to point here.
  ['/metrics', 'evil.example:8300', 'GET', 421],
  ['/metrics?x=1', '127.0.0.1', 'GET', 200],
  ['/metrics', '127.0.0.1', 'POST', 405],
  ['/', '127.0.0.1', 'GET', 404],
  ['/../metrics', '127.0.0.1', 'GET', 404],
  ['/healthz', '127.0.0.1:8300', 'POST', 405],
  ['/healthz', 'evil.example:8300', 'GET', 421],
])('%s asked for as %j by %s ends with %i', async (path, host, method, code) => {
  http = await listen('127.0.0.1');
  const answer = await ask(path, host, method);
  expect(answer.code).toBe(code);
  expect(answer.body.includes('shoal_agents')).toBe(code === 200);
});

test('where other machines reach it, it has whatever names they know it by', async () => {
  http = await listen('0.0.0.0');
  expect(await ask('/metrics', 'coordinator.example:8300')).toMatchObject({ code: 200 });
});

test('whether the coordinator is there is told by two letters', async () => {
  http = await listen('127.0.0.1');
  expect(await ask('/healthz', '127.0.0.1:8300')).toEqual({ code: 200, body: 'ok' });
});

test('a port that is taken is told by the option', async () => {
  http = await listen('127.0.0.1');
  const port = Number(http.address.split(':')[1]);
  await expect(listen('127.0.0.1', port)).rejects.toMatchObject({
    code: 'ADDRESS_IN_USE',
    message: expect.stringContaining('--http'),
  });
});

test('a port that nobody asked for and that is taken is one warning, which names the option', async () => {
  http = await listen('127.0.0.1');
  const address = { host: '127.0.0.1', port: Number(http.address.split(':')[1]) };
  const logged: unknown[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const feed = new EventFeed(log);
  const open = (isAsked: boolean) =>
    MetricsHttp.open({ ...limits, address, isAsked }, () => '', feed, new LimitCounts(feed, () => 0));

  expect(await open(false)).toBeUndefined();
  await expect(open(true)).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
  expect(logged).toMatchObject([
    {
      level: 40,
      event: 'http.unavailable',
      address: http.address,
      code: 'ADDRESS_IN_USE',
      msg: expect.stringContaining('--http'),
    },
  ]);
});

/** A connection that sends this, and whether the other side has closed it. */
function dial(text = ''): { readonly isClosed: boolean; heard: string } {
  const port = Number(http?.address.split(':')[1]);
  const socket = connect(port, '127.0.0.1');
  ends.push(socket);
  const said = {
    heard: '',
    get isClosed() {
      return socket.closed;
    },
  };
  socket.on('error', () => {});
  socket.on('data', (bytes) => (said.heard += String(bytes)));
  socket.write(text);
  return said;
}

/** Whatever goes over the network, half a minute of the clock on the wall at most. */
async function until(what: string, look: () => boolean): Promise<void> {
  const deadline = process.hrtime.bigint() + 30_000_000_000n;
  while (!look()) {
    if (process.hrtime.bigint() > deadline) throw new Error(`${what}: not within 30 s`);
    await turn();
  }
}

const asking = 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n';

test.each([3, 4, 5])('of %i connections four are served', async (count) => {
  http = await listen('127.0.0.1');
  const all = Array.from({ length: count }, () => dial(asking));
  await until('all have their answer', () =>
    all.every(({ heard, isClosed }) => isClosed || heard.includes('ok')),
  );
  expect(all.filter(({ isClosed }) => isClosed)).toHaveLength(Math.max(0, count - 4));
  expect(reached('httpConnections')).toBe(Math.max(0, count - 4));
  triedLimit('httpConnections', count, 4);
});

test.each([
  ['says nothing', '', 1],
  ['never ends its request', 'GET /healthz HTTP/1.1\r\nx: ', 1],
  // Whoever monitors keeps its connection as long as it may.
  ['was answered', asking, 0],
])('a connection that %s is closed when its time is over', async (_, text, counted) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  http = await listen('127.0.0.1');
  const one = dial(text);
  await until('it is there', () => vi.getTimerCount() > 0 && one.heard.includes(text === asking ? 'ok' : ''));
  if (text === asking) await turn();
  vi.advanceTimersByTime(limits.silentMs - 1);
  for (let i = 0; i < 5; i++) await turn();
  expect(one.isClosed).toBe(false);
  triedLimit('httpSilentMs', limits.silentMs - 1, limits.silentMs);
  vi.advanceTimersByTime(1);
  await until('it is closed', () => one.isClosed);
  expect(reached('httpSilentMs')).toBe(counted);
  triedLimit('httpSilentMs', limits.silentMs, limits.silentMs);
  vi.advanceTimersByTime(1);
  for (let i = 0; i < 5; i++) await turn();
  expect(reached('httpSilentMs'), 'a millisecond later').toBe(counted);
  triedLimit('httpSilentMs', limits.silentMs + 1, limits.silentMs);
});
