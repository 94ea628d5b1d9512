import { expect, test } from 'vitest';
import type { SchedulerCommand } from '../command.ts';
import { only, placed, World } from '../scheduler.testkit.ts';
import { Experience } from './experience.ts';

/** One agent of a slot, which has run a job of this kind. */
function experienced(msEach: number, guessedMsMax = 8): World {
  const world = new World({ guessedMsMax });
  world.join('a', 1);
  world.add(100, { chunkSize: 'auto', kind: 'square' });
  finishAll(world, msEach);
  return world;
}

function finishAll(world: World, msEach: number): void {
  for (let [held] = world.heldBy('a'); held !== undefined; [held] = world.heldBy('a')) {
    world.finish(held, msEach);
  }
}

const ranges = (commands: readonly SchedulerCommand[]): string[] =>
  placed(commands).map((each) => each.slice(each.indexOf(' ') + 1));

test('the next job of a kind begins with shards as Python would cut them, and one of another kind with single items', () => {
  const world = experienced(1);
  const { commands } = world.add(100, { chunkSize: 'auto', kind: 'square' });
  // Nothing waits behind it: what is known is of other items.
  expect(ranges(commands)).toEqual(['items 0-24 on a']);
  finishAll(world, 1);
  expect(ranges(world.add(100, { chunkSize: 'auto', kind: 'cube' }).commands)[0]).toBe('item 0 on a');
});

const next = { chunkSize: 'auto', kind: 'square', totalItems: 400 } as const;

test('where those are short they are handed out at once, and where they are very short two of a slot are enough', () => {
  const world = experienced(0.05);
  expect(ranges(world.add(400, next).commands)).toEqual([
    'items 0-99 on a',
    'items 100-199 on a',
    'items 200-299 on a',
    'items 300-399 on a',
  ]);
  finishAll(world, 0.02);
  expect(ranges(world.add(400, next).commands)).toEqual(['items 0-199 on a', 'items 200-399 on a']);
});

test('of few items nothing waits behind another, however short those before were', () => {
  const world = experienced(0.02);
  const { commands } = world.add(100, { ...next, totalItems: 100 });
  expect(ranges(commands)).toEqual(['items 0-24 on a']);
});

test('where a guess is no reason to let shards wait nothing waits behind another', () => {
  const world = experienced(0.05, 0);
  expect(ranges(world.add(400, next).commands)).toEqual(['items 0-99 on a']);
});

test('what was cut by a wrong guess is asked back, once, and cut by what is known now', () => {
  const world = experienced(0.05);
  world.add(400, next);
  const held = world.heldBy('a');
  const [running = 0, ...behind] = held;
  const commands = world.values(running, { first: 0, count: 1 }, 1_000);
  expect(only(commands, 'recall').map(({ attempt }) => attempt)).toEqual(held);
  expect(only(world.values(running, { first: 1, count: 1 }, 1_000), 'recall')).toEqual([]);
  for (const attempt of behind) world.ended(attempt, { kind: 'returned' });
  expect(ranges(world.ended(running, { kind: 'returned' }))).toEqual(['item 2 on a']);
  expect(world.scheduler.progress('job-2')).toMatchObject({ retried: 0, failed: 0, queued: 397 });
});

test('of many kinds the one that was heard of longest ago is forgotten', () => {
  const experience = new Experience();
  const lesson = { msPerItem: 1, resultBytesPerItem: 8, largest: 50 };
  for (let kind = 0; kind <= 1_000; kind += 1) experience.learn(`${kind}`, lesson);
  expect(experience.of('0')).toBeUndefined();
  expect(experience.of('1')).toEqual(lesson);
  expect(experience.of(undefined)).toBeUndefined();
});
