import { expect, test } from 'vitest';
import { findingsOf, type Soaked, type Struck } from './findings.ts';
import { flatnessOf } from './flatness.ts';
import { plotOf } from './plot.ts';
import { reportOf } from './report.ts';
import { type Sample, watched } from './sampler.ts';

const points = (values: readonly number[]) => values.map((value, at) => ({ atMs: at * 1_000, value }));
const tolerance = { part: 0.1, plus: 4 };
const flat = (values: readonly number[]): boolean =>
  flatnessOf({ name: 'x', unit: '', points: points(values) }, tolerance).isFlat;

test('what grows is not flat; what swings, or grows while all is warming up, is', () => {
  expect(flat(Array.from({ length: 100 }, (_, at) => 100 + at))).toBe(false);
  expect(flat(Array.from({ length: 100 }, (_, at) => 100 + (at % 10) * 10))).toBe(true);
  expect(flat(Array.from({ length: 100 }, (_, at) => 100 + Math.min(at, 15) * 10))).toBe(true);
  // Nobody knows.
  expect(flat([])).toBe(false);
});

const fault: Struck = {
  atMs: 1_000,
  kind: 'child killed',
  target: 'steady',
  lastsMs: 0,
  lot: 0,
  struckMs: 1_000,
  endedMs: 1_001,
};
const needs = { pid: 1, rssMiB: 100, descriptors: 20 };
const sample = (atMs: number): Sample => ({
  atMs,
  done: atMs,
  needs: Object.fromEntries(watched.map((name) => [name, needs])),
  children: 6,
  childRssMiB: 60,
  connections: 4,
  folders: 4,
  status: undefined,
});
const sound: Soaked = {
  seed: 1,
  minutes: 1,
  items: 4,
  client: { done: 4, wrong: 0, failed: 0, workMs: 100_000 },
  clientSaid: [],
  tookMs: 60_000,
  faults: Array.from({ length: 12 }, () => fault),
  starts: [1, 1, 2, 1],
  samples: Array.from({ length: 12 }, (_, at) => sample(at * 5_000)),
  complaints: [],
  leak: undefined,
  events: {},
  hasNetwork: true,
};
const broken = (soaked: Soaked): string[] =>
  findingsOf(soaked).flatMap(({ isKept, promise, seen }) => (isKept ? [] : [`${promise}: ${seen}`]));

test('nothing is broken when everything is as it should be', () => {
  expect(broken(sound)).toEqual([]);
});

const grown = sound.samples.map((each, at) => ({
  ...each,
  needs: { ...each.needs, client: { ...needs, rssMiB: 100 + at * 20, descriptors: 20 + at * 4 } },
}));

test.each<[string, Partial<Soaked>, string]>([
  ['an outcome that is missing', { client: { ...sound.client, done: 3 } }, '3 outcomes'],
  ['an outcome that is wrong', { client: { ...sound.client, wrong: 1 } }, '1 wrong, 0 failed'],
  [
    'an item that failed',
    { client: { ...sound.client, failed: 1 }, clientSaid: ['Item 3 was lost'] },
    '0 wrong, 1 failed: Item 3 was lost',
  ],
  [
    'faults that struck nobody',
    { faults: sound.faults.map((each) => ({ ...each, missed: 'it has no child' })) },
    'at least 10 faults struck while the job ran: 0',
  ],
  ['an item that never ran', { starts: [1, 0, 2, 1] }, '1 never'],
  ['an item that ran too often', { starts: [1, 14, 2, 1] }, '14 times at most'],
  ['memory that grows', { samples: grown }, 'memory, client stays flat'],
  ['descriptors that grow', { samples: grown }, 'descriptors, client stays flat'],
  [
    'an agent that does not come back',
    { complaints: ['third is not back'] },
    'comes back: third is not back',
  ],
  ['something that is left', { leak: 'Still busy: {"busySlots":1}' }, 'is left: Still busy'],
])('%s is a broken promise', (_, wrong, told) => {
  expect(broken({ ...sound, ...wrong }).join('\n')).toContain(told);
});

test('the report says what it was, what was broken, and how often each fault struck; the plot draws it', () => {
  const soaked = { ...sound, leak: 'a | file\nor two' };
  const where = { command: 'npm run chaos', commit: 'abc', node: '24', cpus: 2, date: 'today' };
  const report = reportOf(soaked, where);
  expect(report).toContain('`npm run chaos`: 1 BROKEN.');
  expect(report).toContain('| a / file or two | **BROKEN** |');
  expect(report).toContain('| child killed: agents | 12 |');
  const plot = plotOf(soaked);
  expect(plot.match(/<polyline /g)).toHaveLength(1 + watched.length + 1 + watched.length);
  expect(plot.match(/<rect /g)).toHaveLength(12);
  expect(plot).not.toContain('NaN');
});
