import { expect, test } from 'vitest';
import { settleConfig } from './config.ts';

test('a coordinator that is told nothing listens on loopback', () => {
  const { listen, http } = settleConfig({});
  expect(listen).toEqual({ host: '127.0.0.1', port: 7300 });
  expect(http?.address).toEqual({ host: '127.0.0.1', port: 8300 });
});

test('an address that other machines reach is refused without insecure', () => {
  expect(() => settleConfig({ listen: '0.0.0.0:7300' })).toThrow(
    expect.objectContaining({ code: 'INSECURE_LISTEN', message: expect.stringContaining('--insecure') }),
  );
  expect(settleConfig({ listen: '0.0.0.0:7300', insecure: true }).listen.host).toBe('0.0.0.0');
});

test('metrics on an address that other machines reach are refused without insecure, certificates or none', () => {
  const http = '0.0.0.0:8300';
  for (const config of [{ http }, { http, tlsDir: 'shoal-tls' }]) {
    expect(() => settleConfig(config)).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID', message: expect.stringContaining('--insecure') }),
    );
  }
  expect(settleConfig({ http, insecure: true }).http).toMatchObject({
    address: { host: '0.0.0.0', port: 8300 },
    isAsked: true,
  });
  expect(settleConfig({ http: '127.0.0.1:9100' }).http).toMatchObject({
    address: { host: '127.0.0.1', port: 9100 },
    isAsked: true,
  });
});

test.each([
  ['127.0.0.1:7300', 8300],
  ['0.0.0.0:7400', 8400],
  ['[::1]:7300', 8300],
  ['127.0.0.1:64535', 65_535],
])('beside %s metrics are on loopback, at port %i, unless they are turned off', (listen, port) => {
  const config = { listen, insecure: true };
  const limits = { maxConnections: 64, silentMs: 10_000 };
  expect(settleConfig(config).http).toEqual({
    address: { host: '127.0.0.1', port },
    isAsked: false,
    ...limits,
  });
  expect(settleConfig({ ...config, http: 'off' }).http).toBeUndefined();
});

test.each(['127.0.0.1:0', '127.0.0.1:64536', '127.0.0.1:65535'])(
  'beside %s there are no metrics unless they are asked for',
  (listen) => {
    expect(settleConfig({ listen }).http).toBeUndefined();
    expect(settleConfig({ listen, http: '127.0.0.1:0' }).http).toMatchObject({
      address: { host: '127.0.0.1', port: 0 },
      isAsked: true,
    });
  },
);

test.each([0, -1, 4, 499, 500.5, Number.NaN, 86_400_001, 2 ** 31])(
  'a lease of %s is refused by name',
  (leaseMs) => {
    for (const config of [{ leaseMs }, { scheduling: { leaseMs } }]) {
      expect(() => settleConfig(config)).toThrow(
        new RangeError(`leaseMs must be a whole number from 500 to 86400000, not ${leaseMs}.`),
      );
    }
  },
);

test('a lease and a heartbeat hold in whichever place they are given, and never two of them', () => {
  const times = { leaseMs: 4_000, heartbeatMs: 500 };
  for (const config of [times, { scheduling: times }, { ...times, scheduling: { leaseMs: 4_000 } }]) {
    expect(settleConfig(config).scheduling).toMatchObject({ ...times, selfFenceMs: 3_200 });
  }
  expect(() => settleConfig({ leaseMs: 4_000, scheduling: { leaseMs: 5_000 } })).toThrow(
    new RangeError('leaseMs is 4000, and scheduling.leaseMs is 5000: leave one of them out.'),
  );
});

test.each([
  [{ leaesMs: 1 }, 'Coordinator options: there is no option "leaesMs". Did you mean leaseMs?'],
  [{ idelMs: 1 }, 'Coordinator options: there is no option "idelMs". Did you mean idleMs?'],
  [{ scheduling: { leasMs: 1 } }, 'scheduling: there is no option "leasMs". Did you mean leaseMs?'],
  [{ scheduling: 5 }, 'scheduling must be an object, not number.'],
  [{ scheduling: { leaseMs: '5s' } }, 'leaseMs must be a number, not string'],
  [{ listen: 7300 }, 'listen must be a string, not number.'],
  [{ insecure: 'yes' }, 'insecure must be a boolean, not string.'],
  [{ idleMs: null }, 'idleMs must be a number, not null.'],
  [[], 'Coordinator options must be an object, not list.'],
  [{ scheduling: [] }, 'scheduling must be an object, not list.'],
  [
    { log: {} },
    'log must be an object with the methods debug, info, warn, error, as a logger of pino has them: there is no debug.',
  ],
])('%j is refused by name, not ignored', (config: object, message) => {
  expect(() => settleConfig(config)).toThrow(new TypeError(message));
});

test.each(['tlsDir', 'tokenFile', 'bundleDir', 'spillDir'])('an empty %s is refused by name', (name) => {
  expect(() => settleConfig({ [name]: '' })).toThrow(new RangeError(`${name} must be a path, not "".`));
});

test.each(['', 'here'])(
  'where HTTP is to answer is told by its own name, not by that of listen: "%s"',
  (http) => {
    expect(() => settleConfig({ http })).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID', message: expect.stringMatching(/^http: /) }),
    );
  },
);

test('what an option of the scheduler may be is told when the coordinator is started', () => {
  const bad = { confirmMs: 1_000 };
  expect(() => settleConfig({ scheduling: bad })).toThrow(
    'confirmMs must be at least 2 x heartbeatMs (2000)',
  );
  expect(() => settleConfig({ scheduling: { graceMs: 0.5 } })).toThrow(
    'graceMs must be a whole number from 0 to 2147483647, not 0.5.',
  );
});

test.each([
  ['heartbeatMs', 20, 3_600_000],
  ['leaseMs', 500, 86_400_000],
  ['heartbeatsPerSecondMax', 1, 1_000_000],
  ['flapSessions', 1, 1_000_000],
  ['drainsRememberedMax', 1, 1_000_000],
  ['shardsPerSlot', 1, 1_024],
  ['tinyFactor', 1, 1_024],
  ['seed', 0, Number.MAX_SAFE_INTEGER],
] as const)('%s of the scheduler is a whole number from %i to %i', (name, least, most) => {
  for (const good of [least, most])
    expect(() => settleConfig({ scheduling: { [name]: good } })).not.toThrow();
  for (const bad of [least - 1, least + 0.5, most * 2, 1e300, Number.NaN]) {
    expect(() => settleConfig({ scheduling: { [name]: bad } }), `${bad}`).toThrow(
      new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${bad}.`),
    );
  }
});

test('the work of a shard is 1 to 60,000 ms, or a part of one more', () => {
  for (const shardMs of [1, 80.5, 60_000]) {
    expect(settleConfig({ scheduling: { shardMs } }).scheduling).toMatchObject({ shardMs });
  }
  for (const shardMs of [0, 0.9, 60_001]) {
    expect(() => settleConfig({ scheduling: { shardMs } })).toThrow(
      new RangeError(`shardMs must be a number from 1 to 60000, not ${shardMs}.`),
    );
  }
});

test.each([20, 2_000, 3_600_000])(
  'what follows from a heartbeat of %i ms fits into a message',
  (heartbeatMs) => {
    const { scheduling } = settleConfig({ heartbeatMs });
    for (const ms of Object.values(scheduling)) expect(ms).toBeLessThan(2 ** 31);
    expect(scheduling.leaseMs).toBeGreaterThanOrEqual(4 * heartbeatMs);
  },
);

test.each([
  ['maxConnections', 1],
  ['maxConnectionsPerPeer', 1],
  ['firstByteMs', 1],
  ['handshakeMs', 1],
  ['authenticationMs', 1],
  ['idleMs', 1],
  ['maxStreamsPerConnection', 4],
  ['maxMessageBytes', 2 ** 20],
  ['maxMetadataBytes', 1024],
  ['keepaliveMs', 1],
  ['keepaliveTimeoutMs', 1],
  ['maxSessionMemoryBytes', 2 ** 20],
  ['streamWindowBytes', 65_535],
  ['partBytes', 4_096],
  ['maxJoinTokens', 1],
  ['maxWrongTokenPeers', 1],
  ['maxTokenFileBytes', 1],
  ['maxRevocations', 1],
  ['maxOwnerEntries', 1],
  ['maxAgentSlots', 1],
  ['maxLabels', 1],
  ['maxPrintBytes', 1],
  ['maxWrongTokens', 1],
  ['maxHttpConnections', 1],
  ['httpSilentMs', 1],
] as const)('%s is a whole number from %i on', (name, least) => {
  expect(() => settleConfig({ [name]: least })).not.toThrow();
  for (const bad of [least - 1, -1, 0.5, Number.NaN]) {
    expect(() => settleConfig({ [name]: bad }), `${bad}`).toThrow(
      new RangeError(`${name} must be a whole number from ${least} on, not ${bad}.`),
    );
  }
});

test.each([
  ['streamWindowBytes', 2 ** 30 - 1],
  ['partBytes', 2 ** 20],
] as const)('%s is %i at most', (name, most) => {
  expect(() => settleConfig({ [name]: most - 1 })).not.toThrow();
  expect(() => settleConfig({ [name]: most })).not.toThrow();
  expect(() => settleConfig({ [name]: most + 1 })).toThrow(
    new RangeError(`${name} must be at most ${most}, not ${most + 1}.`),
  );
});

test('a time is no longer than a timer can wait', () => {
  expect(() => settleConfig({ idleMs: 2 ** 31 - 1 })).not.toThrow();
  expect(() => settleConfig({ idleMs: 2 ** 31 })).toThrow(
    'idleMs must be at most 2147483647, not 2147483648.',
  );
});

test('more connections of one address than there are connections are refused by both names', () => {
  const config = { listen: '127.0.0.1:0', maxConnections: 5 };
  expect(() => settleConfig({ ...config, maxConnectionsPerPeer: 10 })).toThrow(
    /--max-connections-per-peer\) 10 is more than maxConnections \(--max-connections\), 5/,
  );
  expect(() => settleConfig({ maxConnectionsPerPeer: 99_999 })).toThrow(/99999 is more than maxConnections/);
  // That of a default is never reached, and harms nobody.
  expect(() => settleConfig(config)).not.toThrow();
});

test('silentGraceMs is kept as given, rises with ephemeralGraceMs by default, and is refused below that', () => {
  const settled = (silentGraceMs?: number): number =>
    settleConfig({ ephemeralGraceMs: 90_000, ...(silentGraceMs === undefined ? {} : { silentGraceMs }) })
      .silentGraceMs;
  expect([settled(), settled(90_000), settled(100_000), settleConfig({}).silentGraceMs]).toEqual([
    90_000, 90_000, 100_000, 60_000,
  ]);
  expect(() => settled(89_999)).toThrow(
    'silentGraceMs must be at least ephemeralGraceMs (90000), not 89999.',
  );
});
