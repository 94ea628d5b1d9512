import { expect, test } from 'vitest';
import { opened, run } from './client-world.testkit.ts';

test('a reader that breaks goes on after the outcomes that are here', () => {
  const world = opened();
  world.batch(1, 0, run(0, 3), { kind: 'failure', index: 3 });
  expect(world.fails(1)).toEqual([{ type: 'tellReached', isReached: false }]);
  expect(world.wait()).toEqual([{ type: 'openReader', call: 2, fromPosition: 4 }]);
  expect(world.do({ type: 'messageReceived', call: 2 })).toEqual([
    { type: 'tellReached', isReached: true },
    { type: 'passOn' },
  ]);
  expect(world.batch(2, 4, run(4, 1))).toEqual([{ type: 'deliver', at: 0 }]);
});

test('news of a stream that was given up is dropped', () => {
  const world = opened();
  world.fails(1);
  world.wait();
  expect(world.batch(1, 0, run(0, 3))).toEqual([]);
  expect(world.do({ type: 'messageReceived', call: 1 })).toEqual([]);
  expect(world.do({ type: 'endReceived', call: 1 })).toEqual([]);
  expect(world.fails(1)).toEqual([]);
});

test('a run that breaks off between its parts comes again from its first one, and once', () => {
  const world = opened();
  expect(world.batch(1, 0, run(0, 1), run(1, 4, true))).toEqual([
    { type: 'deliver', at: 0 },
    { type: 'keepPart', at: 1 },
  ]);
  expect(world.fails(1)).toEqual([{ type: 'dropParts' }, { type: 'tellReached', isReached: false }]);
  expect(world.wait()).toEqual([{ type: 'openReader', call: 2, fromPosition: 1 }]);
  expect(world.batch(2, 1, run(1, 4, true))).toContainEqual({ type: 'keepPart', at: 0 });
  expect(world.batch(2, 1, run(1, 4))).toEqual([{ type: 'deliver', at: 0 }]);
  expect(world.machine.snapshot().position).toBe(5);
});

test('a batch in the wrong place is not handed out: the stream is opened again', () => {
  const world = opened();
  expect(world.batch(1, 5, run(5, 1))).toEqual([
    { type: 'dropCall', call: 1 },
    { type: 'tellReached', isReached: false },
  ]);
  expect(world.wait()).toEqual([{ type: 'openReader', call: 2, fromPosition: 0 }]);
});

test('a failure in the middle of a run is not handed out', () => {
  const world = opened();
  world.batch(1, 0, run(0, 4, true));
  expect(world.batch(1, 0, { kind: 'failure', index: 0 })).toContainEqual({ type: 'dropParts' });
});

test('a coordinator that is away for longer than reconnectTimeoutMs ends the job', () => {
  const world = opened([], { reconnectTimeoutMs: 5_000 });
  let commands = world.fails(1);
  let call = 1;
  while (world.machine.nextDeadlineMs() !== undefined) {
    world.wait();
    call += 1;
    commands = world.fails(call);
  }
  expect(commands).toEqual([{ type: 'giveUp', call, why: 'outOfReach' }]);
  expect(world.nowMs).toBeGreaterThan(2_000);
  expect(world.nowMs).toBeLessThanOrEqual(5_000);
});

test('the time out of reach is counted anew after the coordinator was heard', () => {
  const world = opened([], { reconnectTimeoutMs: 5_000 });
  for (let call = 1; call <= 50; call += 1) {
    world.do({ type: 'messageReceived', call });
    expect(world.fails(call)).toEqual([{ type: 'tellReached', isReached: false }]);
    world.wait();
  }
  expect(world.machine.snapshot().isOver).toBe(false);
});

/** The longest and the mean of the waits before so many tries. */
function waitsOf(heard: boolean): { readonly longest: number; readonly mean: number } {
  const world = opened([], { reconnectTimeoutMs: 1_000_000 });
  const waits: number[] = [];
  for (let call = 1; call <= 200; call += 1) {
    if (heard) world.do({ type: 'messageReceived', call });
    world.fails(call);
    const before = world.nowMs;
    world.wait();
    waits.push(world.nowMs - before);
  }
  return { longest: Math.max(...waits), mean: waits.reduce((sum, ms) => sum + ms, 0) / waits.length };
}

test('a coordinator out of reach is asked every two seconds at most, at random times', () => {
  const { longest, mean } = waitsOf(false);
  expect(longest).toBeLessThanOrEqual(2_000);
  expect(mean).toBeGreaterThan(800);
  expect(mean).toBeLessThan(1_200);
});

test('a stream that only opens and breaks again is opened more slowly than at first, and soon', () => {
  const { longest, mean } = waitsOf(true);
  expect(longest).toBeLessThanOrEqual(400);
  expect(mean).toBeGreaterThan(150);
});

test('equal seeds wait equally long, other ones do not', () => {
  const waitOf = (seed: number): number => {
    const world = opened([], { seed });
    world.fails(1);
    return world.machine.nextDeadlineMs() ?? 0;
  };
  expect(waitOf(1)).toBe(waitOf(1));
  expect(waitOf(1)).not.toBe(waitOf(2));
});

test('a coordinator that has forgotten the job was restarted', () => {
  const world = opened();
  world.fails(1);
  world.wait();
  expect(world.fails(2, { kind: 'unknownJob' })).toEqual([{ type: 'giveUp', call: 2, why: 'restarted' }]);
});

test('so it was where it is gone before its results were asked for the first time', () => {
  expect(opened().fails(1, { kind: 'unknownJob' })).toEqual([{ type: 'giveUp', call: 1, why: 'restarted' }]);
});

test('a reader whose place was taken ends the job here', () => {
  expect(opened().fails(1, { kind: 'final' })).toEqual([{ type: 'giveUp', call: 1, why: 'refused' }]);
});
