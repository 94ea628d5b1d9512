import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { describe, expect, test } from 'vitest';
import { eachWithCoordinator, plusOne, rejection } from './client-case.testkit.ts';
import { connect } from './connect.ts';
import { type FakeCoordinator, until } from './fake-coordinator.testkit.ts';

let coordinator: FakeCoordinator;
eachWithCoordinator((fresh) => {
  coordinator = fresh;
});

describe('connecting', () => {
  test('a bad option is refused by its name, before anything starts', async () => {
    const refused = (options: object): Promise<Error> => rejection(connect(coordinator.address, options));
    expect(await refused({ processes: 0 })).toMatchObject({ name: 'RangeError', message: /processes/ });
    for (const [options, where, meant] of [
      [{ tokn: 'x' }, 'connect() options', 'token'],
      [{ connectTimeoutMS: 1 }, 'connect() options', 'connectTimeoutMs'],
      [{ proceses: 1 }, 'connect() options', 'processes'],
      [{ tls: { crt: 'x' } }, 'tls', 'cert'],
    ] as const) {
      const name = where === 'tls' ? 'crt' : Object.keys(options)[0];
      const message = `${where}: there is no option "${name}". Did you mean ${meant}?`;
      expect(await refused(options)).toMatchObject({ name: 'TypeError', message });
    }
    expect(await refused({ token: 'a b' })).toMatchObject({ name: 'TypeError', message: /^token has to be/ });
    expect(await refused({ tls: 'yes' })).toMatchObject({ name: 'TypeError', message: /^tls has to be/ });
    expect(await refused({ tls: new Map() })).toMatchObject({
      name: 'TypeError',
      message: /^tls has to be .*, not Map\.$/,
    });
    expect(await refused({ tls: { ca: null } })).toMatchObject({
      name: 'TypeError',
      message: /^tls\.ca has to be .*, not null\.$/,
    });
    expect(await refused({ connectTimeoutMs: '5' })).toMatchObject({
      name: 'TypeError',
      message: /, not "5"\.$/,
    });
    expect(await refused({ tls: { cert: 'x' } })).toMatchObject({ message: /tls.cert and tls.key/ });
    expect(await refused({ tls: { ca: '/nowhere/ca.crt' } })).toMatchObject({
      code: 'FILE_NOT_USABLE',
      message: '/nowhere/ca.crt: it does not exist.',
    });
    expect(await refused({ connectTimeoutMs: 0 })).toMatchObject({
      name: 'RangeError',
      message: /connectTimeoutMs/,
    });
    expect(await refused({ insecure: 'yes' })).toMatchObject({ name: 'TypeError', message: /insecure/ });
    expect(coordinator.calls).toEqual([]);
  });

  test('each option of a connection is read once, those of its certificates too', async () => {
    const reads: string[] = [];
    const noting = (name: string, value: unknown): PropertyDescriptorMap => ({
      [name]: {
        enumerable: true,
        get: () => {
          reads.push(name);
          return value;
        },
      },
    });
    const tls = Object.defineProperties({}, noting('ca', '/nowhere/ca.crt'));
    const options = Object.defineProperties(
      {},
      {
        ...noting('tls', tls),
        ...noting('token', 'x'),
        ...noting('insecure', true),
        ...noting('processes', 1),
      },
    );
    expect(await rejection(connect(coordinator.address, options))).toMatchObject({ code: 'FILE_NOT_USABLE' });
    expect(reads.sort()).toEqual(['ca', 'insecure', 'processes', 'tls', 'token']);
  });

  test('another machine is refused without insecure, and the reason is said', async () => {
    const error = await rejection(connect('192.0.2.1:7300'));
    expect(error).toMatchObject({ code: 'INSECURE_CONNECT', message: /192\.0\.2\.1:7300.*insecure: true/ });
  });

  test('nobody listening is CANNOT_CONNECT with the reason, the tries and the time', async () => {
    const server: Server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const at = server.address();
    const port = typeof at === 'object' && at !== null ? at.port : 0;
    server.close();
    const error = await rejection(connect(`127.0.0.1:${port}`, { connectTimeoutMs: 700 }));
    expect(error).toMatchObject({ code: 'CANNOT_CONNECT' });
    expect(error.message).toMatch(
      /^Cannot reach coordinator 127\.0\.0\.1:\d+ \(connection refused, tried (once|twice|\d+ times) in [\d.]+ m?s\)\./,
    );
  });

  test('a socket that never answers is CANNOT_CONNECT after the time that the option says', async () => {
    let [connections, open] = [0, 0];
    const silent = createServer((socket) => {
      connections += 1;
      open += 1;
      socket.on('error', () => {}).on('close', () => open--);
      socket.resume();
    });
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const at = silent.address();
    const startedAt = performance.now();
    const error = await rejection(
      connect(`127.0.0.1:${typeof at === 'object' && at !== null ? at.port : 0}`, { connectTimeoutMs: 400 }),
    );
    silent.close();
    // Nobody was asked anything when the time was over: each question is a connection of its own.
    await until('nothing is open', () => open === 0);
    expect(connections).toBe(1);
    expect(error).toMatchObject({
      code: 'CANNOT_CONNECT',
      message: expect.stringContaining('no answer in time'),
    });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test('a signal that aborts ends the attempt at once, with its reason', async () => {
    for (const how of ['silent', 'away'] as const) {
      const stop = new AbortController();
      if (how === 'silent') coordinator.wire.fallSilent();
      else coordinator.wire.cut({ refuse: true });
      const startedAtMs = performance.now();
      const options = { connectTimeoutMs: 600_000, signal: stop.signal };
      const connecting = rejection(connect(coordinator.address, options));
      await until('it tries', () => coordinator.wire.attempts > 0);
      stop.abort(new Error(`enough of one that is ${how}`));
      expect((await connecting).message).toBe(`enough of one that is ${how}`);
      expect(performance.now() - startedAtMs).toBeLessThan(60_000);
      await until('nothing is open', () => coordinator.wire.connections === 0);
      coordinator.wire.attempts = 0;
    }
    const aborted = connect(coordinator.address, { signal: AbortSignal.abort(new Error('before')) });
    expect((await rejection(aborted)).message).toBe('before');
    expect(coordinator.wire.attempts).toBe(0);
    const wrong = connect(coordinator.address, { signal: 5 as unknown as AbortSignal });
    expect(await rejection(wrong)).toMatchObject({ name: 'TypeError', message: /^signal has to be/ });
  });

  test('a signal that aborts later ends nothing', async () => {
    const stop = new AbortController();
    await using pool = await connect(coordinator.address, { signal: stop.signal });
    stop.abort();
    expect(await pool.map(plusOne, [1])).toEqual([2]);
  });

  test('a coordinator that comes up late is reached', async () => {
    coordinator.wire.cut({ refuse: true });
    const connecting = connect(coordinator.address);
    await until('a connection was refused', () => coordinator.wire.attempts > 0);
    coordinator.wire.mend();
    await using pool = await connecting;
    expect(await pool.map(plusOne, [1])).toEqual([2]);
  });

  test('a coordinator of another protocol is VERSION_MISMATCH with both versions', async () => {
    coordinator.peer = { version: '9.0.0', protocol: 9, oldestProtocol: 9 };
    const error = await rejection(connect(coordinator.address));
    expect(error).toMatchObject({ code: 'VERSION_MISMATCH', message: expect.stringContaining('9.0.0') });
  });
});

test('a coordinator of another release that speaks our protocol is served', async () => {
  coordinator.peer = { version: '9.1.0', protocol: 9, oldestProtocol: 1 };
  await using pool = await connect(coordinator.address);
  expect(await pool.map(plusOne, [1])).toEqual([2]);
});
