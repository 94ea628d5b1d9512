import { expect, test } from 'vitest';
import type { Dispatch, SchedulerCommand } from '../command.ts';
import { only, placed, schedulerWith, thrown, World } from '../scheduler.testkit.ts';

const endless = Number.POSITIVE_INFINITY;

test('seven items of a second on three agents with two slots: six at once, the seventh when a slot is free', () => {
  const world = schedulerWith({ agents: { a: 2, b: 2, c: 2 }, job: { items: 7, chunkSize: 'auto' } });
  expect([...world.dispatches.values()].map(({ agent }) => agent)).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  world.pass(1_000);
  expect(placed(world.finish(2, 1_000))).toEqual(['7: item 6 on b']);
});

test('short shards queue up behind short ones, four a slot; free slots of all agents come first', () => {
  const world = schedulerWith({ agents: { a: 1, b: 1, c: 1 }, job: { items: 100 } });
  // How long item 1 on b and item 2 on c take is not known: nothing queues up behind them.
  expect(placed(world.finish(1, 1))).toEqual([
    '4: item 3 on a',
    '5: item 4 on a',
    '6: item 5 on a',
    '7: item 6 on a',
  ]);
  world.step({ type: 'drainRequested', agent: 'a' });
  world.finish(2, 1);
  world.step({ type: 'drainRequested', agent: 'b' });
  world.finish(3, 1);
  world.finish(4, 1);
  for (const { attempt } of [...world.dispatches.values()].filter(({ agent }) => agent !== 'c')) {
    world.finish(attempt, 1);
  }
  world.step({ type: 'resumeRequested', agent: 'a' });
  const both = placed(world.step({ type: 'resumeRequested', agent: 'b' }));
  expect(both).toHaveLength(4);
  expect(world.heldBy('a')).toHaveLength(4);
});

test('shards of a pool at its cap queue up behind those that run, and the agent is told how many slots they may use', () => {
  const world = new World();
  world.join('a', 4, { keepsGroupSlots: true });
  world.add(100, { group: { id: 'capped', processes: 2 } });
  expect(slotsTold(world)).toEqual([1, 2]);
  // How long the other one takes is not known yet.
  expect(placed(world.finish(1, 2))).toHaveLength(4);
  expect(placed(world.finish(2, 2))).toHaveLength(4);
  expect(slotsTold(world)).toEqual(Array(8).fill(2));
  // The two others are free for whoever comes, however much waits behind these.
  const { commands } = world.add(3, { group: { id: 'free', processes: endless } });
  expect(placed(commands)).toEqual(['11: item 0 on a', '12: item 1 on a']);
});

test('the slots that an agent was told of go to another one only as its attempts end', () => {
  const world = new World();
  world.join('a', 2, { keepsGroupSlots: true });
  world.add(9, { group: { id: 'capped', processes: 2 } });
  world.finish(1, 2);
  world.join('b', 2, { keepsGroupSlots: true });
  for (const attempt of [2, 3, 4, 5, 6, 7, 8]) world.finish(attempt, 2);
  expect(world.heldBy('a')).toEqual([9]);
  const { commands, job } = world.add(99, { group: { id: 'capped', processes: 2 } });
  expect(placed(commands)).toEqual(['10: item 0 on b']);
  world.finish(10, 2);
  // Each has one of the two, and what else comes waits behind it.
  expect([world.heldBy('a'), world.heldBy('b')].map(({ length }) => length)).toEqual([4, 4]);
  expect(slotsTold(world, job)).toEqual(Array(7).fill(1));
});

test('an agent that starts whatever it is given gets nothing of a pool beyond its cap', () => {
  const world = schedulerWith({ agents: { a: 4 } });
  world.add(100, { group: { id: 'capped', processes: 2 } });
  expect(placed(world.finish(1, 2))).toEqual(['3: item 2 on a']);
});

test('calls of a capped pool go on with the next shard, as those of any other', () => {
  const world = new World();
  world.join('a', 2, { keepsGroupSlots: true });
  world.add(100, { chunkSize: 1, concurrentTasks: 8, group: { id: 'capped', processes: 1 } });
  expect([...world.dispatches.values()].map(({ count }) => count)).toEqual([8, 8, 8, 8]);
});

test('of an input that trickles as many items are at once with children as these may call', () => {
  for (const processes of [2, endless]) {
    const world = new World();
    world.join('a', 2, { keepsGroupSlots: true });
    const spec = { chunkSize: 'auto', concurrentTasks: 25, group: { id: 'io', processes } } as const;
    const { job } = world.add(0, spec, true);
    for (let item = 0; item < 200; item += 1) world.push(job, 1);
    // Three a slot wait behind those that run; then items gather to larger shards.
    expect(world.heldBy('a')).toHaveLength(2 * (25 + 3));
    expect(placed(world.finish(1, 5_000))).toEqual(['57: items 56-80 on a']);
  }
});

test('tiny shards queue up sixteen a slot', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 100 } });
  expect(placed(world.finish(1, 0.9))).toHaveLength(16);
  expect(placed(world.finish(2, 0.9))).toEqual(['18: item 17 on a']);
});

test('behind a long shard there is one other, and those of 100 ms and more never wait behind others', () => {
  const long = schedulerWith({ agents: { a: 1, b: 1 }, job: { items: 100 } });
  expect(placed(long.finish(1, 50))).toEqual(['3: item 2 on a', '4: item 3 on a']);
  const longer = schedulerWith({ agents: { a: 1, b: 1 }, job: { items: 100 } });
  expect(placed(longer.finish(1, 100))).toEqual(['3: item 2 on a']);
});

test('of shards far beyond what was measured a slot has one that runs and one behind it', () => {
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 1_000, chunkSize: 'auto' } });
  expect(placed(world.finish(1, 0.01))).toEqual(['2: items 1-32 on a', '3: items 33-64 on a']);
});

test('a slot that runs several items at once has the next shards before the last items of the first are done', () => {
  const job = { items: 100, chunkSize: 'auto', concurrentTasks: 5 } as const;
  const world = schedulerWith({ agents: { a: 1, b: 1 }, job });
  const given = [...world.dispatches.values()].map(({ agent, count }) => `${count} on ${agent}`);
  expect(given).toEqual(['5 on a', '5 on b', '5 on a', '5 on b', '5 on a', '5 on b', '5 on a', '5 on b']);
});

test('what must not be lost is not handed out before its slot is free', () => {
  const retries = { thrown: 0, crash: 0, timeout: 0, lost: 0 };
  const world = schedulerWith({ agents: { a: 1 }, job: { items: 100, retries } });
  expect(placed(world.finish(1, 1))).toEqual(['2: item 1 on a']);
});

/** Runs everything that is dispatched, oldest first, and tells the order in which jobs end. */
/** The slots that each attempt which has not ended has told its agent of. */
function slotsTold({ dispatches }: World, of?: string): Array<number | undefined> {
  const told = [...dispatches.values()].filter(({ job }) => of === undefined || job === of);
  return told.map(({ groupSlots }) => groupSlots);
}

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

test('jobs of one group together use at most its processes', () => {
  const world = schedulerWith({ agents: { a: 2, b: 2 } });
  const group = { id: 'group', processes: 3 };
  const first = world.add(5, { group });
  const second = world.add(5, { group });
  expect(placed(first.commands)).toHaveLength(3);
  expect(placed(second.commands)).toEqual([]);
  expect(world.waiting(second.job)).toBe('its share of 3 processes is in use');
  expect(only(world.finish(1, 1_000), 'dispatch')).toMatchObject([{ job: second.job }]);
  expect(placed(world.add(5, { group: { id: 'other', processes: 3 } }).commands)).toHaveLength(1);
});

test('a group of as many processes as its one agent has slots may still queue behind them', () => {
  const world = schedulerWith({ agents: { local: 2 } });
  world.add(100, { group: { id: 'pool', processes: 2 } });
  world.finish(1, 1);
  expect(world.dispatches.size).toBe(5);
});

test('shards that queued up behind the slots of a group give nothing back when they end', () => {
  const world = schedulerWith({ agents: { a: 2 } });
  const group = { id: 'pool', processes: 2 };
  world.add(6, { group });
  world.finish(1, 1);
  for (const attempt of [3, 4, 5, 6]) world.finish(attempt, 1);
  world.join('b', 4);
  // One slot of the two is in use on a: one more on b, and no third.
  expect(placed(world.add(9, { group }).commands)).toHaveLength(1);
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

test('G20: a job that waits says why', () => {
  const world = new World();
  const { job } = world.add(2);
  expect(world.waiting(job)).toBe('no agents are connected');
  world.join('a', 1);
  expect(world.waiting(job)).toBeUndefined();
  const other = world.add(1, { group: { id: 'other', processes: endless } });
  expect(world.waiting(other.job)).toBe('all slots busy');
  const open = world.add(0, {}, true);
  expect(world.waiting(open.job)).toBe('waits for its input');
  world.step({ type: 'sessionClosed', session: 1, orderly: false });
  expect(world.waiting(other.job)).toBe('the connection to every agent is interrupted');
});

test('G20: a job that keeps its slots busy itself, with a shard that is about to end, blames nobody else', () => {
  const world = new World();
  world.join('a', 1);
  const { job } = world.add(2, { chunkSize: 1 });
  world.values(1, {}, 1_000);
  expect(world.waiting(job)).toBe('a shard of its own is about to end');
  expect(only(world.ended(1), 'dispatch')).toHaveLength(1);
});

test('G20: a job whose consumer leaves its window full is paused by it, whether bytes or items fill it', () => {
  const world = schedulerWith({ agents: { a: 1 } });
  const { job } = world.add(0, { windowItems: 2 }, true);
  world.push(job, 2);
  world.finish(1);
  world.finish(2);
  expect(world.waiting(job)).toBe('paused by its consumer');
  world.step({ type: 'resultsAcknowledged', job, position: 1 });
  expect(world.waiting(job)).toBe('waits for its input');
});

test('G20: a job that needs labels names them, and what is the matter with the agents that have them', () => {
  const world = schedulerWith({ agents: { a: 1 } });
  const { job } = world.add(1, { labels: { gpu: 'a100', zone: 'north' } });
  expect(world.waiting(job)).toBe('no agent has labels gpu=a100, zone=north');
  const one = world.add(1, { labels: { gpu: 'a100' } });
  expect(world.waiting(one.job)).toBe('no agent has label gpu=a100');
  world.step({ type: 'drainRequested', agent: 'b' });
  world.join('b', 1, { labels: { gpu: 'a100' } });
  expect(world.waiting(one.job)).toBeUndefined();
  const two = world.add(1, { labels: { gpu: 'a100' } });
  world.step({ type: 'drainRequested', agent: 'b' });
  expect(world.waiting(two.job)).toBe('every agent with label gpu=a100 is draining');
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

test('G20: a job in an encoding that no agent accepts says so, and what is the matter with those that do', () => {
  const world = schedulerWith({ agents: {} });
  const one = world.add(1, { encoding: 'v8' });
  expect(world.waiting(one.job)).toBe('no agents are connected');
  world.join('wary', 1, { encodings: ['json'], labels: { gpu: 'a100' } });
  expect(world.waiting(one.job)).toBe('no agent accepts v8');
  const two = world.add(1, { encoding: 'v8', labels: { gpu: 'a100' } });
  expect(world.waiting(two.job)).toBe('no agent with label gpu=a100 accepts v8');
  const three = world.add(1, { encoding: 'v8', labels: { zone: 'north' } });
  expect(world.waiting(three.job)).toBe('no agent has label zone=north');
  world.join('any', 1);
  expect(world.waiting(one.job)).toBeUndefined();
  const four = world.add(1, { encoding: 'v8' });
  world.step({ type: 'drainRequested', agent: 'any' });
  expect(world.waiting(four.job)).toBe('every agent that accepts v8 is draining');
});

test('G20: a retry says which item waits, and how long', () => {
  const retries = { thrown: 1, crash: 2, timeout: 0, lost: 10 };
  const world = schedulerWith({
    agents: { a: 1 },
    job: { items: 1, retries },
    options: { backoffMs: 20_000 },
  });
  world.failed(1, 0, thrown);
  world.ended(1);
  expect(world.waiting('job-1')).toMatch(/^item 0 is tried again in \d+ s$/);
  const inS = Number(world.waiting('job-1')?.match(/in (\d+)/)?.[1]);
  world.passBeating((inS - 1) * 1000, 'a');
  expect(world.waiting('job-1')).toMatch(/^item 0 is tried again in [01](\.\d)? s$/);
});

test('G20: a suspect says which agent it will not go back to, and how long it waits for another', () => {
  const world = schedulerWith({ agents: { a: 1, b: 1 }, job: { items: 1 } });
  world.add(1);
  world.died(1, { first: 0, count: 1 });
  expect(world.waiting('job-1')).toBe('item 0 waits for another agent than a, where it crashed, for 2 s');
});

test('items that are pushed while a suspect waits for another agent do not wait with it', () => {
  const world = schedulerWith({ agents: { a: 1, b: 1 } });
  const { job } = world.add(1, {}, true);
  world.add(1);
  world.died(1, { first: 0, count: 1 });
  expect(placed(world.step({ type: 'itemsPushed', job, count: 1, bytes: 1 }))).toEqual(['3: item 1 on a']);
});

test('G20: a job that memory holds back says so, even while something of it runs', () => {
  const world = schedulerWith({ agents: { a: 1, b: 1 }, job: { items: 9, windowBytes: 100 } });
  world.values(2, {}, 100, 99);
  world.ended(2);
  expect(world.heldBy('b')).toEqual([]);
  expect(world.waiting('job-1')).toBe('waits for memory (windowBytes)');
});

test('G20: agents that are set aside say for how long', () => {
  const world = new World();
  for (let times = 0; times < 5; times += 1) {
    world.join('a', 1);
    if (times < 4) world.step({ type: 'sessionClosed', session: world.session('a'), orderly: false });
  }
  const { job } = world.add(1);
  expect(world.waiting(job)).toBe('every agent lost its connection too often and gets no work for 30 s');
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

test('a deadline that passes while nothing of a job runs says what it waited for', () => {
  const world = new World();
  world.add(5, { deadlineAtMs: 700, labels: { gpu: 'yes' } });
  const [ended] = only(world.pass(700), 'endJob');
  const wait = { waitingReason: 'noAgents', waitingFor: 'no agents are connected', queued: 5 };
  expect(ended?.outcome).toEqual({ state: 'deadline', wait });
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

/** Two agents of one process, and a job of 1 ms items that has each of them full with longer shards. */
function withLongShards(options: { readonly processes?: number } = {}): World {
  const world = schedulerWith({ agents: { a: 1, b: 1 } });
  const group = { id: 'group', processes: options.processes ?? Number.POSITIVE_INFINITY };
  world.add(20_000, { chunkSize: 'auto', group });
  for (let time = 0; time < 12; time += 1) {
    for (const { attempt } of [...world.dispatches.values()]) world.finish(attempt, 1);
  }
  return world;
}

const recalled = (commands: readonly SchedulerCommand[]): number[] =>
  only(commands, 'recall').map(({ attempt }) => attempt);

test('shards of a job that is alone are long, one that runs and one behind it', () => {
  const world = withLongShards();
  expect(world.heldBy('a')).toHaveLength(2);
  for (const { count } of world.dispatches.values()) expect(count).toBeGreaterThan(200);
});

test('a job that comes asks for what has not begun of long shards, on as many agents as it has items for', () => {
  const world = withLongShards();
  const held = world.heldBy('a');
  expect(recalled(world.add(1).commands)).toEqual(held);
  // What comes back is no failure, and does not wait for a retry; the slot is the newcomer's once nobody runs there.
  const [running = 0, behind = 0] = held;
  expect(placed(world.ended(behind, { kind: 'returned' }))).toEqual([]);
  const { first } = world.dispatches.get(running) as Dispatch;
  world.values(running, { first, count: 5 });
  expect(placed(world.ended(running, { kind: 'returned' }))[0]).toContain('item 0 on a');
  expect(world.scheduler.progress('job-1')).toMatchObject({ retried: 0, failed: 0 });
});

test('a job that comes with items for all asks each agent, once', () => {
  const world = withLongShards();
  const held = [...world.heldBy('a'), ...world.heldBy('b')];
  const { commands, job } = world.add(100, {}, true);
  expect(recalled(commands).toSorted((a, b) => a - b)).toEqual(held.toSorted((a, b) => a - b));
  expect(recalled(world.push(job, 100))).toEqual([]);
  expect(recalled(world.add(100).commands)).toEqual([]);
});

test('for a second after a job had to wait no shards are longer than usual', () => {
  const world = withLongShards();
  const { job } = world.add(1);
  for (const attempt of [...world.heldBy('a'), ...world.heldBy('b')]) {
    world.ended(attempt, { kind: 'returned' });
  }
  const [its] = [...world.dispatches.values()].filter((each) => each.job === job);
  world.finish(its?.attempt ?? 0, 1);
  const counts = (): number[] => [...world.dispatches.values()].map(({ count }) => count);
  expect(Math.max(...counts())).toBeLessThanOrEqual(80);
  world.passBeating(1_000, 'a', 'b');
  for (const { attempt } of [...world.dispatches.values()]) world.finish(attempt, 1);
  expect(Math.max(...counts())).toBeGreaterThan(200);
});

test('a job asks nobody of higher priority, and of a group at its cap its own group alone', () => {
  const world = withLongShards();
  expect(recalled(world.add(1, { priority: -1 }).commands)).toEqual([]);
  const capped = withLongShards({ processes: 1 });
  const [only1] = [...capped.dispatches.values()];
  const other = { id: 'other', processes: 1 };
  // Another group has a slot of its own to go to.
  expect(recalled(capped.add(1, { group: other }).commands)).toEqual([]);
  expect(recalled(capped.add(1, { group: { id: 'group', processes: 1 } }).commands)).toContain(
    only1?.attempt,
  );
});
