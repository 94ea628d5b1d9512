import { expect, test } from 'vitest';
import type { SchedulerCommand } from '../command.ts';
import { only, placed, schedulerWith, World } from '../scheduler.testkit.ts';

test('seven items of a second on three agents with two slots: six at once, the seventh when a slot is free', () => {
  const world = schedulerWith({ agents: { a: 2, b: 2, c: 2 }, job: { items: 7, chunkSize: 'auto' } });
  expect([...world.dispatches.values()].map(({ agent }) => agent)).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  world.pass(1_000);
  expect(placed(world.finish(2, 1_000))).toEqual(['7: item 6 on b']);
});

/** Runs everything that is dispatched, oldest first, and tells the order in which jobs end. */
function runToEnd(world: World, msEach: number): string[] {
  const ended: string[] = [];
  for (let [next] = world.dispatches.keys(); next !== undefined; [next] = world.dispatches.keys()) {
    ended.push(...only(world.finish(next, msEach), 'endJob').map(({ job }) => job));
  }
  return ended;
}

for (const [length, msEach] of [
  ['short', 1],
  ['long', 1_000],
] as const) {
  test(`a job of 3 ${length} items behind one of 1,000 finishes first`, () => {
    const world = schedulerWith({ agents: { a: 2, b: 2 }, job: { items: 1_000 } });
    for (const attempt of [1, 2, 3, 4]) world.finish(attempt, msEach);
    const { job } = world.add(3);
    expect(runToEnd(world, msEach)[0]).toBe(job);
    expect(world.scheduler.snapshot().totals.dispatches).toBe(1_003);
  });
}

test('equal jobs take turns: a free slot goes to the job with the fewest running', () => {
  const world = schedulerWith({ agents: { a: 4 }, job: { items: 50 } });
  world.add(50);
  world.add(50);
  const jobs: string[] = [];
  for (let attempt = 1; attempt <= 12; attempt += 1) {
    jobs.push(...only(world.finish(attempt, 1_000), 'dispatch').map(({ job }) => job));
  }
  const last = jobs.slice(-9).toSorted();
  expect(last).toEqual(['job-1', 'job-1', 'job-1', 'job-2', 'job-2', 'job-2', 'job-3', 'job-3', 'job-3']);
});

test('a job goes on while one small job after another comes', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 1_000 } });
  const big = 'job-1';
  for (let came = 0; came < 2; came += 1) world.add(1);
  let dispatchesOfBig = 0;
  for (let turn = 0; turn < 30; turn += 1) {
    const [next] = world.dispatches.entries();
    if (next === undefined) break;
    const [attempt, { job }] = next;
    if (job === big) dispatchesOfBig += 1;
    // Whoever has its result asks for the next at once.
    else world.add(1);
    world.finish(attempt, 1_000);
  }
  // Three of them wait for one slot.
  expect(dispatchesOfBig).toBeGreaterThanOrEqual(10);
});

test('a higher priority goes first, however much of it runs already', () => {
  const world = new World();
  world.add(3, { priority: 0 });
  world.add(3, { priority: 1 });
  const jobs = only(world.join('a', 4), 'dispatch').map(({ job }) => job);
  expect(jobs).toEqual(['job-2', 'job-2', 'job-2', 'job-1']);
});

test('an agent gets only jobs whose labels it has', () => {
  const world = new World();
  const { job } = world.add(2, { labels: { gpu: '1' } });
  world.join('plain', 4);
  expect(world.waiting(job)).toBe('no agent has label gpu=1');
  expect(placed(world.join('big', 1, { labels: { gpu: '1', zone: 'b' } }))).toEqual(['1: item 0 on big']);
});

test('a job that needs a label is not starved by short shards of others on the agent that has it', () => {
  const world = new World();
  world.join('gpu', 1, { labels: { gpu: '1' } });
  world.add(100);
  world.finish(1, 1);
  const { job } = world.add(1, { labels: { gpu: '1' } });
  const jobs: string[] = [];
  for (let attempt = 2; attempt <= 5; attempt += 1) {
    jobs.push(...only(world.finish(attempt, 1), 'dispatch').map((dispatch) => dispatch.job));
  }
  expect(jobs[0]).toBe(job);
});

test('items that are announced count for the size of shards before they are pushed', () => {
  const cut = (totalItems: number): number => {
    const world = schedulerWith({ agents: { a: 1 } });
    const { job } = world.add(0, { chunkSize: 'auto', totalItems }, true);
    world.push(job, 16);
    // 3 ms each: a shard of 50 ms would have sixteen of them.
    return only(world.finish(1, 3), 'dispatch')[0]?.count ?? 0;
  };
  // Python would cut the 15 that are left to ceil(15 / 4), and does not hold back a shard of a thousand.
  expect([cut(16), cut(1_000)]).toEqual([4, 15]);
});

test('an agent gets only jobs in an encoding that it accepts, and comes back with others', () => {
  const world = new World();
  world.join('wary', 4, { encodings: ['json'] });
  world.add(1, { encoding: 'v8' });
  expect(placed(world.join('any', 1))).toEqual(['1: item 0 on any']);
  expect(placed(world.add(1, { encoding: 'json' }).commands)).toEqual(['2: item 0 on wary']);
  expect(placed(world.add(1).commands)).toEqual(['3: item 0 on wary']);
  world.add(1, { encoding: 'v8' });
  expect(placed(world.join('wary', 4, { held: [2, 3], resumes: world.session('wary') }))).toEqual([
    '4: item 0 on wary',
  ]);
});

test('items that are pushed while a suspect waits for another agent do not wait with it', () => {
  const world = schedulerWith({ agents: { a: 1, b: 1 } });
  const { job } = world.add(1, {}, true);
  world.add(1);
  world.died(1, { first: 0, count: 1 });
  expect(placed(world.step({ type: 'itemsPushed', job, count: 1, bytes: 1 }))).toEqual(['3: item 1 on a']);
});

test('G25: a cancelled job starts nothing more, and its slots are free when its agents say so', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 5 } });
  const next = world.add(1);
  expect(world.step({ type: 'cancelRequested', job: 'job-1', reason: 'enough' })).toEqual([
    { type: 'revoke', session: 1, attempt: 1, reason: 'cancelled' },
    { type: 'endJob', job: 'job-1', outcome: { state: 'cancelled', reason: 'enough' } },
  ]);
  expect(only(world.values(1), 'keepResults')).toEqual([]);
  expect(only(world.beat('a'), 'revoke')).toEqual([
    { type: 'revoke', session: 1, attempt: 1, reason: 'cancelled' },
  ]);
  expect(only(world.ended(1, { kind: 'returned' }), 'dispatch')).toMatchObject([{ job: next.job }]);
});

test('G25, G28: a slot whose revoked attempt was never heard of again is free in the end', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 1 } });
  world.beat('a');
  world.step({ type: 'cancelRequested', job: 'job-1', reason: 'enough' });
  world.dispatches.clear();
  const { job } = world.add(1);
  expect(only(world.passBeating(6_000, 'a'), 'dispatch')).toMatchObject([{ job }]);
});

test('G26: a deadline ends the job and takes back what runs', () => {
  const world = new World();
  world.join('local', 1, { permanent: true });
  world.add(5, { deadlineAtMs: 700 });
  expect(world.pass(699)).toEqual([]);
  expect(world.pass(1)).toEqual([
    { type: 'revoke', session: 1, attempt: 1, reason: 'deadline' },
    { type: 'endJob', job: 'job-1', outcome: { state: 'deadline' } },
  ]);
  expect(world.scheduler.nextDeadlineMs()).toBeUndefined();
});

test('a job that ends before its deadline leaves no deadline behind', () => {
  const world = new World();
  world.join('local', 1, { permanent: true });
  world.add(1, { deadlineAtMs: 700 });
  world.finish(1);
  expect(world.scheduler.nextDeadlineMs()).toBeUndefined();
});

test('a shard ends where a block ends, if one ends in its last quarter', () => {
  const firstBehind = (block: number): string | undefined => {
    const world = schedulerWith({ agents: { a: 1 } });
    const { job } = world.add(1, { chunkSize: 'auto', totalItems: 10_000 }, true);
    world.push(job, block);
    world.push(job, 500);
    return placed([...world.values(1, {}, 1), ...world.ended(1)])[0];
  };
  expect(firstBehind(24)).toBe('2: items 1-24 on a');
  expect(firstBehind(23)).toBe('2: items 1-32 on a');
});

test('the cost of placing a shard does not grow with agents and jobs', () => {
  // A count of comparisons would pin the implementation; a hundredfold world must not take even thrice the time.
  const microsPerShard = (jobs: number, agents: number): number => {
    const world = new World();
    for (let agent = 0; agent < agents; agent += 1) world.join(`agent-${agent}`, 1);
    const queue: SchedulerCommand[] = [];
    for (let job = 0; job < jobs; job += 1) queue.push(...world.add(Math.ceil(3_000 / jobs)).commands);
    const { scheduler } = world;
    const startMs = performance.now();
    let shards = 0;
    for (let at = 0; at < queue.length; at += 1) {
      const command = queue[at];
      if (command?.type !== 'dispatch') continue;
      shards += 1;
      const { session, attempt, first, count } = command;
      const result = {
        type: 'itemsSucceeded',
        atMs: 0,
        session,
        attempt,
        first,
        count,
        bytes: 1,
        runMs: 9,
      } as const;
      queue.push(...scheduler.step(result));
      queue.push(
        ...scheduler.step({ type: 'attemptEnded', atMs: 0, session, attempt, ending: { kind: 'finished' } }),
      );
    }
    return ((performance.now() - startMs) * 1_000) / shards;
  };
  const best = (jobs: number, agents: number): number =>
    Math.min(...[0, 1, 2].map(() => microsPerShard(jobs, agents)));
  best(1, 2);
  const small = best(2, 3);
  expect(best(200, 300)).toBeLessThan(small * 5 + 10);
}, 60_000);
