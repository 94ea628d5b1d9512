import { expect, test } from 'vitest';
import type { ChunkQueued } from './pool-event.ts';
import { TestMachine } from './pool-machine.testkit.ts';

/** Hands in a chunk, and counts in `looks` how often it is looked at. */
function queueWatched(m: TestMachine, chunk: number, key: string, looks: { count: number }): void {
  const spec = { type: 'chunkQueued', atMs: m.atMs, chunk, task: 't', first: 0, count: 1 } as const;
  const traits = { marksStarts: false, concurrentTasks: 1, maxTasksPerChild: 1 };
  const watched = {
    ...spec,
    ...traits,
    get key() {
      looks.count += 1;
      return key;
    },
  } satisfies ChunkQueued;
  m.machine.step(watched);
}

test('while nobody can take the first of them, the chunks behind it are not looked at', () => {
  const m = new TestMachine(1);
  m.queue(1, 1, { maxTasksPerChild: 1 });
  m.ready(1);
  const looks = { count: 0 };
  for (let chunk = 2; chunk <= 60; chunk++) queueWatched(m, chunk, 'k', looks);
  looks.count = 0;
  // Its spare, which is ready, too.
  m.ready(2);
  m.began(1, 1);
  m.succeeded(1, 1, 0);
  expect(looks.count).toBeLessThan(20);
  // Somebody else's chunk waits behind them, and is found.
  m.queue(61, 1, { key: 'other' });
  looks.count = 0;
  m.after(1);
  expect(looks.count).toBeGreaterThan(100);
});

test('the first word of a child moves nothing', () => {
  const m = new TestMachine(1);
  const looks = { count: 0 };
  for (let chunk = 1; chunk <= 3; chunk++) queueWatched(m, chunk, 'k', looks);
  looks.count = 0;
  expect(m.step({ type: 'childStarted', child: 1 })).toEqual([]);
  expect(looks.count).toBe(0);
});
