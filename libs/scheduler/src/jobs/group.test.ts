import { expect, test } from 'vitest';
import { only, placed, schedulerWith, World } from '../scheduler.testkit.ts';

const endless = Number.POSITIVE_INFINITY;

/** The slots that each attempt which has not ended has told its agent of. */
function slotsTold({ dispatches }: World, of?: string): Array<number | undefined> {
  const told = [...dispatches.values()].filter(({ job }) => of === undefined || job === of);
  return told.map(({ groupSlots }) => groupSlots);
}

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
