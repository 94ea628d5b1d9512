import { expect, test } from 'vitest';
import type { Dispatch, SchedulerCommand } from '../command.ts';
import { only, placed, schedulerWith, type World } from '../scheduler.testkit.ts';

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
