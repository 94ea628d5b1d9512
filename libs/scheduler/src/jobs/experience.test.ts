import { expect, test } from 'vitest';
import { placed, World } from '../scheduler.testkit.ts';
import { Experience } from './experience.ts';

test('the next job of a kind begins with shards as Python would cut them, and one of another kind with single items', () => {
  const world = new World();
  world.join('a', 1);
  const isRunning = (): number | undefined => world.heldBy('a')[0];
  world.add(100, { chunkSize: 'auto', kind: 'square' });
  for (let attempt = isRunning(); attempt !== undefined; attempt = isRunning()) world.finish(attempt, 0.01);
  const { commands } = world.add(100, { chunkSize: 'auto', kind: 'square' });
  // Nothing waits behind it: what is known is of other items.
  expect(placed(commands).map((each) => each.slice(each.indexOf(' ') + 1))).toEqual(['items 0-24 on a']);
  for (let attempt = isRunning(); attempt !== undefined; attempt = isRunning()) world.finish(attempt, 0.01);
  expect(placed(world.add(100, { chunkSize: 'auto', kind: 'cube' }).commands)[0]).toMatch(/item 0 on a$/);
});

test('of many kinds the one that was heard of longest ago is forgotten', () => {
  const experience = new Experience();
  const lesson = { msPerItem: 1, resultBytesPerItem: 8, largest: 50 };
  for (let kind = 0; kind <= 1_000; kind += 1) experience.learn(`${kind}`, lesson);
  expect(experience.of('0')).toBeUndefined();
  expect(experience.of('1')).toEqual(lesson);
  expect(experience.of(undefined)).toBeUndefined();
});
