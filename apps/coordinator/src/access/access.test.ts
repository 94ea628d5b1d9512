import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EventFeed } from '../watch/event-feed.ts';
import { Access, type AccessOptions } from './access.ts';

let said: { event: string; msg: string }[] = [];
const options = (): AccessOptions => ({
  tlsDir: undefined,
  tokens: undefined,
  tokenFile: undefined,
  isExposed: false,
  isHttpExposed: false,
  certificateCheckMs: 5_000,
  maxWrongTokens: 10,
  maxWrongTokenPeers: 10,
  maxTokenFileBytes: 1_000,
  maxRevocations: 10,
  maxOwnerEntries: 10,
  jobsMax: 10,
  onLimit: () => {},
  feed: new EventFeed(pino({}, { write: (line: string) => void said.push(JSON.parse(line)) })),
  knowsJob: () => true,
});

beforeEach(() => {
  said = [];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a coordinator that is open to others says so at the start, and every minute', async () => {
  const access = await Access.open({ ...options(), isExposed: true });
  access.listening('0.0.0.0:7300', undefined);
  vi.advanceTimersByTime(180_000);
  expect(said.map(({ event }) => event)).toEqual(Array.from({ length: 4 }, () => 'coordinator.insecure'));
  expect(said[0]?.msg).toMatch(/^INSECURE: whoever reaches 0\.0\.0\.0:7300 .*run code on every agent/);
  access.stop();
  vi.advanceTimersByTime(120_000);
  expect(said).toHaveLength(4);
});

test('so does one whose metrics are open to others, whatever protects the rest', async () => {
  const access = await Access.open({ ...options(), isHttpExposed: true });
  access.listening('127.0.0.1:7300', '0.0.0.0:8300');
  vi.advanceTimersByTime(60_000);
  expect(said.map(({ event }) => event)).toEqual(['coordinator.insecure', 'coordinator.insecure']);
  expect(said[0]?.msg).toMatch(/^INSECURE: whoever reaches 0\.0\.0\.0:8300 can read the metrics \(--http/);
  expect(access.protection).toMatchObject({ insecure: true });
  access.stop();
});

test('a coordinator on its own machine, or behind certificates, says nothing of that', async () => {
  const access = await Access.open(options());
  access.listening('127.0.0.1:7300', '127.0.0.1:8300');
  vi.advanceTimersByTime(180_000);
  expect(said).toEqual([]);
  expect(access.protection).toMatchObject({ encrypted: false, authenticated: false, insecure: false });
  access.stop();
});

test.each(['', '# nothing\n', 'hunter2\n'])(
  'a token file with %j opens nothing: it is refused',
  async (tokens) => {
    await expect(Access.open({ ...options(), tokens })).rejects.toMatchObject({ code: 'FILE_NOT_USABLE' });
  },
);
