import { expect, test } from 'vitest';
import { only, schedulerWith, thrown, World } from '../scheduler.testkit.ts';

const endless = Number.POSITIVE_INFINITY;

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

test('a deadline that passes while nothing of a job runs says what it waited for', () => {
  const world = new World();
  world.add(5, { deadlineAtMs: 700, labels: { gpu: 'yes' } });
  const [ended] = only(world.pass(700), 'endJob');
  const wait = { waitingReason: 'noAgents', waitingFor: 'no agents are connected', queued: 5 };
  expect(ended?.outcome).toEqual({ state: 'deadline', wait });
});
