import { expect, test } from 'vitest';
import { placed, schedulerWith, World } from '../scheduler.testkit.ts';

const endless = Number.POSITIVE_INFINITY;

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
