import { expect, test } from 'vitest';
import type { KeepFailure } from '../command.ts';
import { crash, only, placed, schedulerWith, thrown } from '../scheduler.testkit.ts';
import type { AttemptFact } from './failure.ts';

const noRetries = { thrown: 0, crash: 0, timeout: 0, lost: 0 };

test('G1, G2: values are kept, their input is released and they are delivered, in the order of the input', () => {
  const world = schedulerWith({ agents: { a: 2 }, job: { items: 2 } });
  expect(world.values(2)).toEqual([
    { type: 'keepResults', job: 'job-1', first: 1, count: 1 },
    { type: 'releaseItems', job: 'job-1', first: 1, count: 1 },
  ]);
  expect(world.values(1)).toEqual([
    { type: 'keepResults', job: 'job-1', first: 0, count: 1 },
    { type: 'releaseItems', job: 'job-1', first: 0, count: 1 },
    { type: 'deliver', job: 'job-1', first: 0, count: 2 },
    { type: 'endJob', job: 'job-1', outcome: { state: 'completed', succeeded: 2, failed: 0 } },
  ]);
});

test('G3: a result that comes twice is dropped the second time', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 4, chunkSize: 4 } });
  world.values(1, { first: 0, count: 2 });
  expect(world.values(1, { first: 0, count: 2 })).toEqual([
    { type: 'note', note: { what: 'resultRefused', attempt: 1, items: 2 } },
  ]);
});

test('G3: of a run that overlaps what is settled only the rest is kept', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 6, chunkSize: 6 } });
  world.values(1, { first: 2, count: 2 });
  expect(only(world.values(1, { first: 0, count: 6 }), 'keepResults', 'deliver')).toEqual([
    { type: 'keepResults', job: 'job-1', first: 0, count: 2 },
    { type: 'deliver', job: 'job-1', first: 0, count: 4 },
    { type: 'keepResults', job: 'job-1', first: 4, count: 2 },
    { type: 'deliver', job: 'job-1', first: 4, count: 2 },
  ]);
});

test('G12: results of another session, of an attempt that is over, or of none at all are dropped', () => {
  const world = schedulerWith({ agents: { a: 1, b: 1 }, job: { items: 2 } });
  const result = { type: 'itemsSucceeded', first: 0, count: 1, bytes: 1, runMs: 1 } as const;
  for (const [session, attempt] of [
    [2, 1],
    [1, 99],
  ] as const) {
    expect(world.step({ ...result, session, attempt })).toEqual([
      { type: 'note', note: { what: 'resultRefused', attempt, items: 1 } },
    ]);
  }
  world.ended(1, { kind: 'returned' });
  expect(only(world.step({ ...result, session: 1, attempt: 1 }), 'keepResults')).toEqual([]);
  expect(world.scheduler.snapshot().totals.itemsRefused).toBe(3);
});

test('G7: an item that threw has failed, and the error in flight is its own', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 1 } });
  expect(only(world.failed(1, 0, thrown), 'keepFailure', 'deliver', 'endJob')).toEqual([
    {
      type: 'keepFailure',
      job: 'job-1',
      index: 0,
      failure: { kind: 'thrown', attempts: [{ pid: 7, agent: 'a' }] },
      withPayload: true,
    },
    { type: 'deliver', job: 'job-1', first: 0, count: 1 },
    { type: 'endJob', job: 'job-1', outcome: { state: 'completed', succeeded: 0, failed: 1 } },
  ]);
});

test('G7, G11: with a budget a throw is tried again, later and without delaying the others', () => {
  const retries = { ...noRetries, thrown: 1 };
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 3, retries } });
  expect(only(world.failed(1, 0, thrown), 'keepFailure')).toEqual([]);
  expect(placed(world.ended(1))).toEqual(['2: item 1 on a']);
  expect(placed(world.finish(2))).toEqual(['3: item 2 on a']);
  expect(placed(world.finish(3))).toEqual([]);
  expect(world.waiting('job-1')).toMatch(/^item 0 is tried again in \d\.\d s$/);
  const [again] = only(world.pass(250), 'dispatch');
  expect(again).toMatchObject({ first: 0, tryNumber: 2 });
  expect(only(world.failed(again?.attempt ?? 0, 0, thrown), 'keepFailure')).toHaveLength(1);
});

test('G7, G11: an item that threw is tried again while the rest of its shard still runs', () => {
  const retries = { ...noRetries, thrown: 1 };
  const world = schedulerWith({ agents: { a: 2 }, job: { items: 10, chunkSize: 10, retries } });
  world.failed(1, 0, thrown);
  expect(placed(world.pass(250))).toEqual(['2: item 0 on a']);
});

test('G7: an error that retryOn does not name is final whatever the budget', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 1, retries: { ...noRetries, thrown: 5 } } });
  expect(only(world.failed(1, 0, { ...thrown, retryable: false }), 'keepFailure')).toHaveLength(1);
});

test('G8: what had not started when its child died goes back free', () => {
  const world = schedulerWith({
    agents: { a: 1 },
    job: { items: 10, chunkSize: 10, retries: { ...noRetries, crash: 1 } },
  });
  world.values(1, { first: 0, count: 3 });
  const commands = world.died(1, { first: 3, count: 1 });
  expect(only(commands, 'note')).toEqual([
    { type: 'note', note: { what: 'itemsRetried', job: 'job-1', items: 1, why: 'crash' } },
  ]);
  expect(only(commands, 'dispatch')).toMatchObject([{ first: 3, count: 1, marksStarts: true, tryNumber: 2 }]);
  expect(only(world.finish(2), 'dispatch')).toMatchObject([
    { first: 4, count: 6, marksStarts: false, tryNumber: 1 },
  ]);
});

test('G10: a poison item kills three children at most, and takes no innocent with it', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 8, chunkSize: 8 } });
  let deaths = 0;
  let commands = world.died(1, { first: 0, count: 8 });
  deaths += 1;
  const failed: number[] = [];
  for (let dispatch = only(commands, 'dispatch')[0]; dispatch; dispatch = only(commands, 'dispatch')[0]) {
    expect(dispatch).toMatchObject({ count: 1, marksStarts: true });
    if (dispatch.first === 5) deaths += 1;
    commands =
      dispatch.first === 5
        ? world.died(dispatch.attempt, { first: 5, count: 1 })
        : world.finish(dispatch.attempt);
    failed.push(...only(commands, 'keepFailure').map(({ index }) => index));
  }
  expect({ deaths, failed }).toEqual({ deaths: 3, failed: [5] });
  expect(only(commands, 'endJob')[0]?.outcome).toEqual({ state: 'completed', succeeded: 7, failed: 1 });
});

test('G10: whoever was a suspect of a death that another one explains is charged with its own alone', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 8, chunkSize: 8 } });
  const ways: Readonly<Record<number, AttemptFact>> = { 2: { exitCode: 7 }, 5: { signal: 'SIGABRT' } };
  const deadly = (item: number) => ({ attempt: { agent: 'a', ...ways[item] } });
  // Item 2 ended the first child, with all eight as suspects.
  let commands = world.ended(1, {
    kind: 'childDied',
    death: deadly(2),
    suspects: [{ first: 0, count: 8 }],
  });
  const failures: KeepFailure[] = [];
  for (let dispatch = only(commands, 'dispatch')[0]; dispatch; dispatch = only(commands, 'dispatch')[0]) {
    const { attempt, first } = dispatch;
    commands =
      ways[first] === undefined
        ? world.finish(attempt)
        : world.ended(attempt, { kind: 'childDied', death: deadly(first), suspects: [{ first, count: 1 }] });
    failures.push(...only(commands, 'keepFailure'));
    if (only(commands, 'dispatch').length === 0) commands = world.passBeating(30_000, 'a');
  }
  expect(failures.map(({ index, failure }) => [index, failure.attempts]).sort()).toEqual([
    [2, [deadly(2).attempt, deadly(2).attempt, deadly(2).attempt]],
    [5, [deadly(5).attempt, deadly(5).attempt, deadly(5).attempt]],
  ]);
});

test('G4, G8: a failure that stands names every try, and what the last child wrote', () => {
  const world = schedulerWith({
    agents: { a: 1, b: 1 },
    job: { items: 1, retries: { ...noRetries, crash: 1 } },
  });
  world.died(1, { first: 0, count: 1 });
  const death = { attempt: { pid: 8, exitCode: 3 }, stderrTail: 'boom' };
  const commands = world.ended(2, { kind: 'childDied', death, suspects: [{ first: 0, count: 1 }] });
  expect(only(commands, 'keepFailure')[0]).toMatchObject({
    failure: {
      kind: 'crash',
      attempts: [
        { pid: 7, signal: 'SIGSEGV', agent: 'a' },
        { pid: 8, exitCode: 3, agent: 'b' },
      ],
      stderrTail: 'boom',
    },
    withPayload: false,
  });
});

test('G10: after its first crash an item runs on another agent, if there is one', () => {
  const world = schedulerWith({ agents: { a: 2, b: 1 }, job: { items: 3 } });
  world.finish(2);
  world.finish(3);
  expect(placed(world.died(1, { first: 0, count: 1 }))).toEqual(['4: item 0 on b']);
});

test('G10: when the other agent stays busy for two seconds, its own will do', () => {
  const world = schedulerWith({ agents: { a: 1, b: 1 }, job: { items: 2 } });
  expect(placed(world.died(1, { first: 0, count: 1 }))).toEqual([]);
  expect(world.waiting('job-1')).toBeUndefined();
  expect(placed(world.passBeating(1999, 'a', 'b'))).toEqual([]);
  expect(placed(world.pass(1))).toEqual(['3: item 0 on a']);
});

test('G10: the agent that a suspect avoids gets other items meanwhile', () => {
  const world = schedulerWith({ agents: { a: 1, b: 1 }, job: { items: 3 } });
  expect(placed(world.died(1, { first: 0, count: 1 }))).toEqual(['3: item 2 on a']);
  expect(placed(world.finish(2))).toEqual(['4: item 0 on b']);
});

test('G10: alone on the cluster, an agent gets its suspect back at once', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 1 } });
  expect(placed(world.died(1, { first: 0, count: 1 }))).toEqual(['2: item 0 on a']);
});

test('G5: with no crash budget children mark their starts, and a crash is final', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 3, chunkSize: 3, retries: noRetries } });
  expect(world.dispatches.get(1)).toMatchObject({ count: 3, marksStarts: true });
  const commands = world.died(1, { first: 1, count: 1 });
  expect(only(commands, 'keepFailure').map(({ index }) => index)).toEqual([1]);
  expect(placed(commands)).toEqual(['2: item 0 on a']);
});

test('a timeout is final by default and needs a budget of its own', () => {
  const timeout = { kind: 'timeout', retryable: true, attempt: { pid: 7 } } as const;
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 2, retries: { ...noRetries, timeout: 1 } } });
  expect(only(world.failed(1, 0, timeout), 'keepFailure')).toEqual([]);
  expect(placed(world.ended(1))).toEqual(['2: item 0 on a']);
  expect(only(world.failed(2, 0, timeout), 'keepFailure')[0]?.failure.kind).toBe('timeout');
});

test('failFast: an ordered job takes results of earlier items for a moment, starts nothing, and ends', () => {
  const world = schedulerWith({ agents: { a: 3 }, job: { items: 9, failFast: true } });
  world.finish(1, 120);
  expect(placed(world.failed(3, 2, thrown))).toEqual([]);
  expect(placed(world.ended(3))).toEqual([]);
  world.pass(20);
  const last = world.values(2);
  expect(only(last, 'deliver', 'revoke', 'endJob')).toEqual([
    { type: 'deliver', job: 'job-1', first: 1, count: 2 },
    { type: 'revoke', session: 1, attempt: 4, reason: 'cancelled' },
    { type: 'endJob', job: 'job-1', outcome: { state: 'failedFast', index: 2 } },
  ]);
});

test('failFast: what does not come in that moment is not waited for; the lowest failure is the error', () => {
  const world = schedulerWith({ agents: { a: 4 }, job: { items: 9, failFast: true } });
  world.failed(4, 3, thrown);
  world.pass(30);
  world.failed(2, 1, thrown);
  expect(only(world.pass(19), 'endJob')).toEqual([]);
  expect(only(world.pass(1), 'endJob')).toEqual([
    { type: 'endJob', job: 'job-1', outcome: { state: 'failedFast', index: 1 } },
  ]);
});

test('failFast: a deadline within that moment asks for no time that has passed', () => {
  const world = schedulerWith({ agents: { a: 4 }, job: { items: 9, failFast: true, deadlineAtMs: 20 } });
  world.failed(4, 3, thrown);
  world.nowMs = 30;
  world.step({ type: 'clockTicked' });
  expect(world.scheduler.nextDeadlineMs()).toBe(50);
});

test('failFast: the first failure ends an unordered job and takes back what runs', () => {
  const world = schedulerWith({ agents: { a: 2 }, job: { items: 9, failFast: true, ordered: false } });
  expect(only(world.failed(2, 1, thrown), 'keepFailure', 'revoke', 'endJob', 'dispatch')).toMatchObject([
    { type: 'keepFailure', index: 1 },
    { type: 'revoke', attempt: 1, reason: 'cancelled' },
    { type: 'endJob', outcome: { state: 'failedFast', index: 1 } },
  ]);
});

test('a function that cannot be loaded ends its job at once', () => {
  const world = schedulerWith({ agents: { a: 2 }, job: { items: 9 } });
  expect(only(world.ended(1, { kind: 'unrunnable' }), 'revoke', 'endJob', 'dispatch')).toEqual([
    { type: 'revoke', session: 1, attempt: 2, reason: 'cancelled' },
    { type: 'endJob', job: 'job-1', outcome: { state: 'unrunnable' } },
  ]);
});

test('G20: what an attempt gives back unrun goes to the front again, free', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 6, chunkSize: 3, retries: noRetries } });
  world.values(1, { first: 0, count: 1 });
  expect(placed(world.ended(1, { kind: 'returned' }))).toEqual(['2: items 1-2 on a']);
});

test('G5, G6: what may have begun before it was given back costs a lost try', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 3, chunkSize: 3, retries: noRetries } });
  const commands = world.ended(1, { kind: 'returned', started: [{ first: 0, count: 1 }] });
  expect(only(commands, 'keepFailure')).toMatchObject([{ index: 0, failure: { kind: 'lost' } }]);
  expect(placed(commands)).toEqual(['2: items 1-2 on a']);
});

test('G20: items of a finished attempt that were never heard of are run again', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 3, chunkSize: 3 } });
  world.values(1, { first: 0, count: 2 });
  world.ended(1);
  expect(world.scheduler.progress('job-1')).toMatchObject({ queued: 1, retried: 1 });
  expect(placed(world.pass(250))).toEqual(['2: item 2 on a']);
});

test('G20: shards that come back untouched again and again wait longer each time', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 1 } });
  expect(placed(world.ended(1, { kind: 'returned' }))).toEqual(['2: item 0 on a']);
  expect(placed(world.ended(2, { kind: 'returned' }))).toEqual([]);
  expect(placed(world.pass(250))).toEqual(['3: item 0 on a']);
});

test('a crash that an agent reports for one item is blamed like a death', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 2, chunkSize: 2 } });
  world.failed(1, 0, crash);
  world.values(1, { first: 1, count: 1 });
  expect(only(world.ended(1), 'dispatch')).toMatchObject([
    { first: 0, count: 1, marksStarts: true, tryNumber: 2 },
  ]);
});

test('the neighbours of a suspect that killed child after child never wait for it', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 4, chunkSize: 4 } });
  for (const attempt of [1, 2, 3]) {
    const [suspect] = [...world.dispatches.values()];
    world.died(attempt, { first: suspect?.first ?? 0, count: 1 });
    expect(world.scheduler.progress('job-1')?.running).toBeGreaterThan(0);
  }
  // The poison is out of the way; what came back with it, free each time, has not bounced.
  expect(placed(world.ended(4, { kind: 'returned' }))).toEqual(['5: items 1-3 on a']);
});

test('G10: a suspect stays alone when its next try is lost or throws', () => {
  const world = schedulerWith({
    agents: { a: 1 },
    job: { items: 2, retries: { ...noRetries, crash: 2, thrown: 1 } },
  });
  world.died(1, { first: 0, count: 1 });
  world.failed(2, 0, thrown);
  world.ended(2);
  world.finish(3);
  expect(only(world.pass(250), 'dispatch')).toMatchObject([{ first: 0, marksStarts: true, tryNumber: 3 }]);
});

test('G29: what was thrown fills the window as values do, until the consumer has it', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 5, windowBytes: 100 } });
  world.failed(1, 0, { ...thrown, bytes: 60 });
  expect(placed(world.ended(1))).toEqual(['2: item 1 on a']);
  world.failed(2, 1, { ...thrown, bytes: 60 });
  expect(placed(world.ended(2))).toEqual([]);
  expect(world.waiting('job-1')).toBe('paused by its consumer');
  expect(placed(world.step({ type: 'resultsAcknowledged', job: 'job-1', position: 1 }))).toEqual([
    '3: item 2 on a',
  ]);
});
