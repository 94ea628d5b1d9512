import { request } from 'node:http';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { EventFeed } from './event-feed.ts';
import { MetricsHttp } from './metrics-http.ts';

let http: MetricsHttp | undefined;
afterEach(() => http?.close());

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
  http = await MetricsHttp.listen({ host: '127.0.0.1', port: 0 }, () => 'shoal_agents 1\n');
  const answer = await ask(path, host, method);
  expect(answer.code).toBe(code);
  expect(answer.body.includes('shoal_agents')).toBe(code === 200);
});

test('where other machines reach it, it has whatever names they know it by', async () => {
  http = await MetricsHttp.listen({ host: '0.0.0.0', port: 0 }, () => 'shoal_agents 1\n');
  expect(await ask('/metrics', 'coordinator.example:8300')).toMatchObject({ code: 200 });
});

test('whether the coordinator is there is told by two letters', async () => {
  http = await MetricsHttp.listen({ host: '127.0.0.1', port: 0 }, () => 'shoal_agents 1\n');
  expect(await ask('/healthz', '127.0.0.1:8300')).toEqual({ code: 200, body: 'ok' });
});

test('a port that is taken is told by the option', async () => {
  http = await MetricsHttp.listen({ host: '127.0.0.1', port: 0 }, () => '');
  const port = Number(http.address.split(':')[1]);
  await expect(MetricsHttp.listen({ host: '127.0.0.1', port }, () => '')).rejects.toMatchObject({
    code: 'ADDRESS_IN_USE',
    message: expect.stringContaining('--http'),
  });
});

test('a port that nobody asked for and that is taken is one warning, which names the option', async () => {
  http = await MetricsHttp.listen({ host: '127.0.0.1', port: 0 }, () => '');
  const address = { host: '127.0.0.1', port: Number(http.address.split(':')[1]) };
  const logged: unknown[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  const open = (isAsked: boolean) => MetricsHttp.open({ address, isAsked }, () => '', new EventFeed(log));

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
