import { expect, test } from 'vitest';
import { hold } from './contest.ts';
import { spreadOf, type Table, tableOf } from './figures.ts';
import { markdownOf } from './markdown.ts';
import type { Peer } from './peer.ts';
import { expectedDigest, type Scale, settingOf, type Workload } from './workload.ts';

const scale: Scale = { small: true, processes: 1, rounds: 1 };

/** A peer whose measuring process is this program. */
const peer = (name: string, program: (digest: string) => string): Peer => ({
  name,
  find: () => ({ version: '1' }),
  command: (setting) => [process.execPath, '--eval', program(expectedDigest(setting))],
});

const says = (value: number) => (digest: string) =>
  `console.log(${JSON.stringify(JSON.stringify({ value, digest }))})`;

const missing: Peer = {
  name: 'nobody',
  find: () => ({ missing: 'nobody is not installed' }),
  command: () => ['false'],
};

function workloadOf(...peers: readonly Peer[]): Workload {
  return {
    name: 'a-workload',
    title: 'A workload',
    figure: 'rate',
    task: 'increment',
    items: { full: 100, small: 10 },
    contenders: peers.map((each) => ({ peer: each, mode: 'items' })),
    goals: [{ against: 'slow', atLeast: 5 }, { against: 'nobody', atLeast: 1 }, { atLeast: 5_000 }],
  };
}

async function held(...peers: readonly Peer[]): Promise<{ table: Table; order: string[] }> {
  const order: string[] = [];
  const rules = {
    scale,
    runs: 2,
    untilMs: Number.POSITIVE_INFINITY,
    atOnce: 1,
    timeoutMs: 60_000,
    peerTimeoutMs: 60_000,
    onMeasured: (_: string, name: string) => order.push(name),
  };
  const [contest] = await hold([workloadOf(...peers)], rules);
  if (contest === undefined) throw new Error('nothing was held');
  return { table: tableOf(contest), order };
}

test('figures are rates of the median run, beside everybody else, and goals are compared with them', async () => {
  const { table, order } = await held(peer('Shoal', says(2)), peer('slow', says(20)), missing);
  expect(table.rows.map(({ contender, median, ratio }) => ({ contender, median, ratio }))).toEqual([
    { contender: 'Shoal', median: 5_000, ratio: undefined },
    { contender: 'slow', median: 500, ratio: 10 },
    { contender: 'nobody', median: Number.NaN, ratio: Number.NaN },
  ]);
  expect(table.goals.map(({ text, isMet }) => ({ text, isMet }))).toEqual([
    { text: 'at least 5 x slow', isMet: true },
    { text: 'at least 1 x nobody', isMet: undefined },
    { text: 'at least 5,000 items/s', isMet: true },
  ]);
  // In turn, and each round begins with another one.
  expect(order).toEqual(['Shoal', 'slow', 'slow', 'Shoal']);
});

test('a ratio and a goal say how far the runs are apart, and in how many of them the goal was met', () => {
  const workload = workloadOf({ ...missing, name: 'Shoal' }, { ...missing, name: 'slow' });
  const entryOf = (contender: string, values: readonly number[]) => ({
    contender,
    isOurs: false,
    items: 10,
    values: [...values],
  });
  const entries = [entryOf('Shoal', [1, 1, 4]), entryOf('slow', [6, 4, 24])];
  const { rows, goals } = tableOf({ workload, warmUpItems: 0, entries });
  // Of runs side by side: 6, 4 and 6. What is slow for everybody, as the last round, leaves the ratio alone.
  expect(rows[1]).toMatchObject({ ratio: 6, ratioLow: 4, ratioHigh: 6 });
  expect(goals.map((goal) => `${goal.text}${spreadOf(goal)}`)).toEqual([
    'at least 5 x slow (4 - 6, in 2 of 3 runs)',
    'at least 1 x nobody',
    'at least 5,000 items/s (2,500 - 10,000, in 2 of 3 runs)',
  ]);
});

test('whoever is not installed, fails, or gives a wrong output is named with the reason', async () => {
  const wrong = peer('wrong', () => says(1)('0123'));
  const broken = peer('broken', () => 'console.error("no such luck"); process.exit(3)');
  const thrower = peer('thrower', () => 'throw new TypeError("bad luck")');
  const silent = peer('silent', () => '0');
  const { table } = await held(peer('Shoal', says(2)), missing, wrong, broken, thrower, silent);
  const machine = {
    date: '2026-01-01',
    commit: 'abc',
    cpu: 'CPU',
    cpus: 1,
    node: '24',
    processes: 1,
    runs: 2,
    small: true,
    loadBefore: 0,
    loadAfter: 0,
  };
  expect(markdownOf(machine, [table])).toContain('### A workload, 10 items (1 before)');
  expect(markdownOf(machine, [table]).split('\n').slice(-7, -1)).toEqual([
    '| Shoal (1) | 5,000 | 5,000 - 5,000 |  |  |',
    '| nobody | missing: nobody is not installed |  |  |  |',
    '| wrong (1) | FAILED: its output is wrong |  |  |  |',
    '| broken (1) | FAILED: ended with 3: no such luck |  |  |  |',
    '| thrower (1) | FAILED: TypeError: bad luck |  |  |  |',
    '| silent (1) | FAILED: printed no measurement but "" |  |  |  |',
  ]);
});

test('a process that takes too long is ended with all that it started, a peer sooner than Shoal, and the others have their turn', async () => {
  const sleeper = peer('sleeper', () => 'setTimeout(() => {}, 600_000)');
  const rules = {
    scale,
    runs: 1,
    untilMs: 0,
    atOnce: 1,
    timeoutMs: 300,
    peerTimeoutMs: 400,
    onMeasured: () => {},
  };
  const ours: Peer = { ...sleeper, isOurs: true };
  const [contest] = await hold([workloadOf(ours, sleeper, ours, missing)], rules);
  expect(contest?.entries.map(({ failed }) => failed?.trim())).toEqual([
    'was not done within 0.3 s',
    'was not done within 0.4 s',
    'was not done within 0.3 s',
    undefined,
  ]);
});

test('everybody runs a whole map before, a slow contender the share of the items that it runs, and a small run everybody the same few', () => {
  const slow = { peer: missing, mode: 'items', share: 0.02 } as const;
  const workload = { ...workloadOf(missing), items: { full: 10_000, small: 10 } };
  expect(settingOf(workload, slow, { ...scale, small: false })).toMatchObject({
    items: 200,
    warmUpItems: 200,
  });
  const half = { ...slow, share: 0.5 };
  expect(settingOf(workload, half, { ...scale, small: false })).toMatchObject({
    items: 5_000,
    warmUpItems: 5_000,
  });
  expect(settingOf(workload, slow, scale)).toMatchObject({ items: 10, warmUpItems: 1 });
});

test('a workload may name fewer items to warm up with, and where a start is measured there are none', () => {
  const all = { peer: missing, mode: 'items' } as const;
  const first = { ...workloadOf(missing), items: { full: 10_000, small: 10 }, warmUpItems: 2 };
  const full = { ...scale, small: false };
  expect(settingOf(first, all, full)).toMatchObject({ items: 10_000, warmUpItems: 2 });
  expect(settingOf({ ...first, times: 'startAndMap' }, all, full)).toMatchObject({ warmUpItems: 0 });
});

test('a small run measures once what several workloads ask of a contender alike, and a full run each of them', async () => {
  const chance = (digest: string) =>
    `console.log(JSON.stringify({ value: 1 + Math.random(), digest: ${JSON.stringify(digest)} }))`;
  const measured = async (small: boolean): Promise<number> => {
    const workload = workloadOf(peer('Shoal', chance));
    const contests = await hold([workload, { ...workload, name: 'the same again' }], {
      scale: { ...scale, small },
      runs: 1,
      untilMs: 0,
      atOnce: 1,
      timeoutMs: 60_000,
      peerTimeoutMs: 60_000,
      onMeasured: () => {},
    });
    return new Set(contests.map(({ entries }) => entries[0]?.values[0])).size;
  };
  expect({ small: await measured(true), full: await measured(false) }).toEqual({ small: 1, full: 2 });
});

test('no round begins that would end too late, and the first is held in any case', async () => {
  const sleeper = peer('Shoal', (digest) => `setTimeout(() => { ${says(1)(digest)} }, 100)`);
  const rules = {
    scale,
    runs: 50,
    atOnce: 1,
    timeoutMs: 60_000,
    peerTimeoutMs: 60_000,
    onMeasured: () => {},
  };
  const roundsUntil = async (untilMs: number): Promise<number | undefined> => {
    const [contest] = await hold([workloadOf(sleeper)], { ...rules, untilMs });
    return contest?.entries[0]?.values.length;
  };
  expect(await roundsUntil(0)).toBe(1);
  expect(await roundsUntil(300)).toBeLessThan(4);
});
