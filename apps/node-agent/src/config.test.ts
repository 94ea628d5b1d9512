import { usableCpus } from '@shoal/pool';
import { expect, test } from 'vitest';
import { type AcceptedEncoding, type AgentConfig, settleConfig } from './config.ts';
import { usableMemory } from './host-info.ts';

const join = '127.0.0.1:7300';

test('an agent that is told only where to join uses every CPU under a name of its own', () => {
  const [one, other] = [settleConfig({ join }), settleConfig({ join })];
  expect(one.processes).toBe(usableCpus());
  expect(one.name).not.toBe(other.name);
});

test.each([0, -1, 0.5, Number.NaN, 1025])('%s processes are refused by name', (processes) => {
  expect(() => settleConfig({ join, processes })).toThrow(/processes must be a whole number from 1 to 1024/);
});

test.each(['', 'somewhere', 'a b:1', ':7300', '127.0.0.1:0', '127.0.0.1:70000', '[::1]:65536'])(
  '"%s" is no address to join',
  (address) => {
    expect(() => settleConfig({ join: address })).toThrow(/join: /);
  },
);

test('a name that would garble a log is refused', () => {
  expect(() => settleConfig({ join, name: 'rack 2\n' })).toThrow(/name: /);
});

test.each([0, 1_048_575, 1.5])('a memory limit of %s bytes is refused by name', (maxRssBytes) => {
  expect(() => settleConfig({ join, maxRssBytes })).toThrow(
    /maxRssBytes must be a whole number from 1048576 on/,
  );
});

test('labels are few and short, and named so that no name is lost on the way', () => {
  const many = Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`label-${at}`, 'x']));
  expect(() => settleConfig({ join, labels: many })).toThrow(/labels: are 65, and may be 64/);
  for (const labels of [{ gpu: 'x'.repeat(101) }, { ['x'.repeat(101)]: 'x' }]) {
    expect(() => settleConfig({ join, labels })).toThrow(/labels: .* is longer than 100 characters/);
  }
  for (const labels of [{ '': 'x' }, JSON.parse('{"__proto__":"x"}'), { gpu: '' }, { gpu: 1 }]) {
    expect(() => settleConfig({ join, labels })).toThrow(/labels: /);
  }
  expect(settleConfig({ join, labels: { gpu: 'a100', spot: 'no' } }).labels).toEqual({
    gpu: 'a100',
    spot: 'no',
  });
});

test.each<[number, number]>([
  [1, 2000],
  [65_535, 70_000],
  [1_900_000_000, 4_294_967_295],
  [1_900_000_000, 1_900_100_000],
  [1_900_000_009, 1_900_000_000],
  [1_900_000_000, 1_900_000_006],
  [1_900_000_000.5, 1_900_000_999],
])('users %s to %s are refused with the rule, by the name of the option', (...isolationUids) => {
  expect(() => settleConfig({ join, processes: 4, isolation: 'user', isolationUids })).toThrow(
    expect.objectContaining({
      code: 'REQUEST_INVALID',
      message: expect.stringMatching(
        /--isolation-uids.*within 65536 to .* 8 \(twice --processes\) to 100000 users/,
      ),
    }),
  );
});

test('twice as many users as processes are enough', () => {
  const isolationUids = [1_900_000_000, 1_900_000_007] as const;
  const { isolation } = settleConfig({ join, processes: 4, isolation: 'user', isolationUids });
  expect(isolation).toMatchObject({ firstUid: 1_900_000_000, lastUid: 1_900_000_007 });
});

test('what another isolation needs is refused, not ignored', () => {
  expect(() => settleConfig({ join, isolationUids: [1_900_000_000, 1_900_000_999] })).toThrow(
    /--isolation-uids/,
  );
  expect(() => settleConfig({ join, isolation: 'user', isolationImage: 'shoal:1' })).toThrow(
    /--isolation-image/,
  );
});

test.each([
  [{ join, proceses: 1 }, 'Agent options: there is no option "proceses". Did you mean processes?'],
  [{ join, processes: '4' }, 'processes must be a number, not string.'],
  [{ join: 7300 }, 'join must be a string, not number.'],
  [{ join, labels: 'gpu=a100' }, 'labels must be an object, not string.'],
  [{ join, labels: ['a'] }, 'labels must be an object, not list.'],
  [{ join, encodings: {} }, 'encodings must be a list, not object.'],
  [
    { join, log: {} },
    'log must be an object with the methods debug, info, warn, error, as a logger of pino has them: there is no debug.',
  ],
  [[], 'Agent options must be an object, not list.'],
])('%j is refused by name, not ignored', (config: object, message) => {
  expect(() => settleConfig(config as AgentConfig)).toThrow(new TypeError(message));
});

test.each([
  [{ bundleDir: '' }, 'bundleDir must be a path, not "".'],
  [{ tlsDir: 'a\0' }, 'tlsDir must be a path without a NUL in it, not "a\\u0000".'],
])('%j is no path, and told by name', (config, message) => {
  expect(() => settleConfig({ join, ...config })).toThrow(new RangeError(message));
});

test.each([{}, { join: undefined }])(
  'an agent that is not told where to join is refused: %j',
  (config: object) => {
    expect(() => settleConfig(config as AgentConfig)).toThrow('join: "" is no address; give HOST:PORT');
  },
);

test('what a terminal would obey is shown, not sent to it', () => {
  expect(() => settleConfig({ join, name: '\u001b[2Jrack\n' })).toThrow('name: "\\u001b[2Jrack\\n" must be');
  const encodings = ['\u001b[2J'] as unknown as readonly AcceptedEncoding[];
  expect(() => settleConfig({ join, encodings })).toThrow(
    'encodings: "\\u001b[2J" is none of v8, json, bytes',
  );
});

test('a drain waits no longer than a timer can', () => {
  expect(settleConfig({ join, drainMs: 1 }).drainMs).toBe(1);
  for (const drainMs of [0, 0.5, 2 ** 31]) {
    expect(() => settleConfig({ join, drainMs })).toThrow(
      'drainMs must be a whole number from 1 to 2147483647',
    );
  }
});

test('a container has a share of the memory and one CPU, unless somebody says otherwise', () => {
  const settled = (config: Partial<AgentConfig>) =>
    settleConfig({ join: 'localhost:7300', isolation: 'container', processes: 4, ...config }).isolation;
  expect(settled({})).toMatchObject({
    cpus: 1,
    memoryBytes: Math.max(2 ** 26, Math.floor(usableMemory() / 4)),
  });
  expect(settled({ isolationCpus: 0.5, isolationMemoryBytes: 2 ** 26 })).toMatchObject({
    cpus: 0.5,
    memoryBytes: 2 ** 26,
  });
});

test.each([
  [{ isolationMemoryBytes: 2 ** 26 - 1 }, 'isolationMemoryBytes must be a whole number from 67108864 on'],
  [{ isolationCpus: 0 }, 'isolationCpus must be a number from 0.01 to 1024, not 0.'],
  [{ isolationCpus: 1025 }, 'isolationCpus must be a number'],
  [{ isolationCpus: Number.NaN }, 'isolationCpus must be a number'],
])('%j is refused for a container', (config, message) => {
  expect(() => settleConfig({ join: 'localhost:7300', isolation: 'container', ...config })).toThrow(message);
});

test.each([
  [
    { isolationMemoryBytes: 2 ** 27 },
    '(--isolation-memory-bytes) is for the isolation container, not process',
  ],
  [{ isolationCpus: 2 }, '(--isolation-cpus) is for the isolation container, not process'],
])('%j is refused where there are no containers', (config, message) => {
  expect(() => settleConfig({ join: 'localhost:7300', ...config })).toThrow(message);
});
