import { expect, test } from 'vitest';
import type { SchedulerEvent } from './event.ts';
import { only, placed, schedulerWith, specOf, World } from './scheduler.testkit.ts';
import { Scheduler } from './scheduler.ts';

test('a new job may be pushed a window of items', () => {
  const world = new World();
  expect(world.step({ type: 'jobCreated', job: 'j', spec: specOf({ windowItems: 8 }) })).toEqual([
    { type: 'grantItems', job: 'j', upTo: 8 },
  ]);
});

test('G29: the producer is at most a window ahead of what the consumer has acknowledged', () => {
  const world = schedulerWith({ agents: { a: 1 } });
  const { job } = world.add(8, { chunkSize: 8, windowItems: 8 }, true);
  expect(only(world.finish(1), 'grantItems')).toEqual([]);
  expect(world.step({ type: 'resultsAcknowledged', job, position: 3 })).toEqual([
    { type: 'releaseResults', job, position: 3 },
    { type: 'grantItems', job, upTo: 11 },
  ]);
});

test('a grant is told for an eighth of the window at a time, unless the producer stands still', () => {
  const world = schedulerWith({ agents: { a: 1 } });
  const { job } = world.add(50, { chunkSize: 50, windowItems: 80 }, true);
  world.finish(1);
  const grantsFor = (position: number) =>
    only(world.step({ type: 'resultsAcknowledged', job, position }), 'grantItems').map(({ upTo }) => upTo);
  expect(grantsFor(9)).toEqual([]);
  expect(grantsFor(10)).toEqual([90]);
  world.push(job, 40);
  expect(grantsFor(11)).toEqual([91]);
});

test('G29: a grant shrinks to what was pushed when the bytes held pass the window, and grows when they fall', () => {
  const world = schedulerWith({ agents: { a: 1 } });
  const { job } = world.add(0, { windowItems: 100, windowBytes: 1_000, chunkSize: 2 }, true);
  expect(only(world.push(job, 2, 1_200), 'grantItems')).toEqual([{ type: 'grantItems', job, upTo: 2 }]);
  expect(only(world.values(1), 'grantItems')).toEqual([{ type: 'grantItems', job, upTo: 100 }]);
});

test('G29: a job whose consumer takes nothing is not dispatched once its results fill the window', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 5, windowBytes: 100 } });
  expect(placed([...world.values(1, {}, 100, 60), ...world.ended(1)])).toHaveLength(1);
  expect(placed([...world.values(2, {}, 100, 60), ...world.ended(2)])).toEqual([]);
  expect(world.waiting('job-1')).toBe('paused by its consumer');
  const commands = world.step({ type: 'resultsAcknowledged', job: 'job-1', position: 1 });
  expect(placed(commands)).toEqual(['3: item 2 on a']);
});

test('G29: what runs is expected to weigh what the last results did, and counts before it is there', () => {
  const world = schedulerWith({ agents: { a: 4 }, job: { items: 9, windowBytes: 100 } });
  world.step({ type: 'slotsChanged', session: 1, slots: 1 });
  for (const attempt of [1, 2, 3]) {
    world.values(attempt, {}, 100, 30);
    world.ended(attempt);
  }
  world.step({ type: 'resultsAcknowledged', job: 'job-1', position: 3 });
  world.step({ type: 'slotsChanged', session: 1, slots: 9 });
  expect(world.heldBy('a')).toHaveLength(4);
});

test('G20: results that wait for an earlier item never keep that item from running', () => {
  const world = schedulerWith({ agents: { a: 3 }, job: { items: 9, windowBytes: 100 } });
  world.values(2, {}, 100, 60);
  world.values(3, {}, 100, 60);
  world.ended(2);
  world.ended(3);
  expect(world.heldBy('a')).toEqual([1]);
  expect(placed(world.ended(1, { kind: 'returned' }))).toEqual(['4: item 0 on a']);
});

test('an unordered job delivers outcomes as they come', () => {
  const world = schedulerWith({ agents: { a: 3 }, job: { items: 3, ordered: false } });
  const delivered = [3, 1, 2].flatMap((attempt) =>
    only(world.finish(attempt), 'deliver').map(({ first }) => first),
  );
  expect(delivered).toEqual([2, 0, 1]);
});

test('a job without items is complete when its input ends', () => {
  const world = new World();
  const { job, commands } = world.add(0);
  expect(commands.at(-1)).toEqual({
    type: 'endJob',
    job,
    outcome: { state: 'completed', succeeded: 0, failed: 0 },
  });
});

test('a job is complete when its input has ended and everything was delivered, acknowledged or not', () => {
  const world = schedulerWith({ agents: { a: 1 } });
  const { job } = world.add(1, {}, true);
  expect(only(world.finish(1), 'endJob')).toEqual([]);
  expect(only(world.step({ type: 'inputEnded', job }), 'endJob')).toHaveLength(1);
  expect(world.scheduler.progress(job)).toBeUndefined();
});

test('G25: the results that were delivered before a cancel stay valid, and later news of the job is no news', () => {
  const world = schedulerWith({ agents: { a: 1 } });
  const { job } = world.add(3, {}, true);
  expect(only(world.finish(1), 'deliver')).toHaveLength(1);
  world.step({ type: 'cancelRequested', job, reason: 'enough' });
  expect(world.push(job, 5)).toEqual([]);
  expect(world.step({ type: 'inputEnded', job })).toEqual([]);
  expect(world.step({ type: 'cancelRequested', job, reason: 'again' })).toEqual([]);
});

test('a job that is created twice is one job', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 1 } });
  expect(world.step({ type: 'jobCreated', job: 'job-1', spec: specOf() })).toEqual([]);
});

test('progress counts every item once', () => {
  const world = schedulerWith({ agents: { a: 2 } });
  const { job } = world.add(6, { totalItems: 10 }, true);
  world.finish(1, 100);
  world.step({ type: 'resultsAcknowledged', job, position: 1 });
  world.failed(2, 1, { kind: 'thrown', retryable: true, attempt: {} });
  expect(world.scheduler.progress(job)).toEqual({
    total: 10,
    pushed: 6,
    succeeded: 1,
    failed: 1,
    running: 1,
    queued: 3,
    retried: 0,
    speculated: 0,
    speculationWins: 0,
    delivered: 2,
    acknowledged: 1,
  });
});

test('a snapshot shows agents, jobs and totals', () => {
  const world = schedulerWith({ agents: { a: 2 }, job: { items: 3, priority: 4 } });
  world.pass(300);
  expect(world.scheduler.snapshot()).toMatchObject({
    agents: [
      { agent: 'a', session: 1, state: 'live', slots: 2, attempts: 2, permanent: false, silentForMs: 0 },
    ],
    jobs: [
      {
        job: 'job-1',
        priority: 4,
        group: 'group',
        attempts: 2,
        itemBytes: 30,
        resultBytes: 0,
        running: 2,
        queued: 1,
      },
    ],
    totals: { events: 4, dispatches: 2, jobsEnded: 0 },
  });
});

test('equal events give equal commands', () => {
  const events: SchedulerEvent[] = [
    {
      type: 'agentJoined',
      atMs: 0,
      agent: 'a',
      session: 1,
      slots: 1,
      labels: {},
      held: [],
      permanent: false,
    },
    {
      type: 'jobCreated',
      atMs: 1,
      job: 'j',
      spec: specOf({ retries: { thrown: 3, crash: 0, timeout: 0, lost: 0 } }),
    },
    { type: 'itemsPushed', atMs: 2, job: 'j', count: 2, bytes: 2 },
    {
      type: 'itemFailed',
      atMs: 3,
      session: 1,
      attempt: 1,
      index: 0,
      failure: { kind: 'thrown', retryable: true, attempt: {} },
    },
    { type: 'clockTicked', atMs: 200 },
  ];
  const story = (seed: number) => {
    const scheduler = new Scheduler({ seed });
    return JSON.stringify(events.map((event) => [scheduler.step(event), scheduler.nextDeadlineMs()]));
  };
  expect(story(5)).toBe(story(5));
  expect(story(5)).not.toBe(story(6));
});

test('what others are about to follow is handed out with them, at the next event', () => {
  const world = schedulerWith({ agents: { a: 1 } });
  const { job } = world.add(0, { chunkSize: 10 }, true);
  const push = { type: 'itemsPushed', job, count: 4, bytes: 4 } as const;
  expect(placed(world.step({ ...push, more: true }))).toEqual([]);
  expect(placed(world.step({ ...push, more: true }))).toEqual([]);
  expect(placed(world.step({ type: 'clockTicked' }))).toEqual(['1: items 0-7 on a']);
});

test('G29: ten million items cost no objects of their own', () => {
  const world = schedulerWith({ agents: { a: 1 } });
  const heapBefore = process.memoryUsage().heapUsed;
  const { job } = world.add(10_000_000, { windowItems: 20_000_000, chunkSize: 100_000 });
  for (let attempt = 1; attempt <= 100; attempt += 1) {
    world.finish(attempt, 0.0001);
    world.step({ type: 'resultsAcknowledged', job, position: attempt * 100_000 });
  }
  expect(world.scheduler.snapshot().totals.itemsSucceeded).toBe(10_000_000);
  expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(20_000_000);
});
