import { expect, test } from 'vitest';
import type { PoolCommand } from './pool-command.ts';
import { finished, kill, retire, run, TestMachine } from './pool-machine.testkit.ts';

const started = (child: number, key: string = 'k'): PoolCommand => ({
  type: 'spawnChild',
  child,
  key,
  chunk: undefined,
});

const warm = (m: TestMachine, count: number, more: { readonly maxAgeMs?: number } = {}): PoolCommand[] =>
  m.step({ type: 'warmRequested', key: 'k', count, ...more });

/** A machine at full size, its children 1 … n ready. */
function atFullSize(n: number): TestMachine {
  const m = new TestMachine(n);
  warm(m, n);
  for (let child = 1; child <= n; child++) m.ready(child);
  return m;
}

test('children that are asked for in advance start at once, `processes` at most', () => {
  expect(warm(new TestMachine(3), 2)).toEqual([started(1), started(2)]);
  expect(warm(new TestMachine(3), 9)).toEqual([started(1), started(2), started(3)]);
});

test('work goes to them, and none is started for it', () => {
  const m = new TestMachine(2);
  warm(m, 2);
  expect(m.queue(1, 1)).toEqual([]);
  expect(m.ready(2)).toEqual([run(2, 1, 0, 1)]);
  expect(m.runs(2, 1, 0, 1)).toEqual([finished(1)]);
});

test('after a death the pool goes back to its full size by itself', () => {
  const m = atFullSize(2);
  expect(m.exits(1)).toEqual([started(3)]);
  m.queue(1, 1, { marksStarts: true });
  m.began(2, 1);
  m.starts(2, 1, 0);
  expect(m.exits(2)).toMatchObject([{ type: 'endChunk', ending: { kind: 'childDied' } }, started(4)]);
});

test('an idle child that is too old has a successor', () => {
  const m = new TestMachine(1);
  warm(m, 1, { maxAgeMs: 100 });
  m.ready(1);
  expect(m.after(100)).toEqual([retire(1), started(2)]);
});

test('a recycled child is followed by its spare alone', () => {
  const m = atFullSize(1);
  m.queue(1, 1, { maxTasksPerChild: 1 });
  m.ready(2);
  expect(m.runs(1, 1, 0, 1)).toEqual([finished(1), retire(1)]);
  expect(m.exits(1, undefined)).toEqual([]);
  expect(m.snapshot.children).toMatchObject([{ child: 2, isSpare: false }]);
});

test('an initializer that keeps failing is not tried again until there is work', () => {
  const m = new TestMachine(2);
  warm(m, 2);
  const fails = (child: number): PoolCommand[] => {
    m.step({ type: 'childStarted', child });
    expect(m.step({ type: 'initializerThrew', child })).toEqual([kill(child)]);
    return m.exits(child);
  };
  expect([1, 2, 3].map(fails)).toEqual([[started(3)], [started(4)], [started(5)]]);
  expect([4, 5].map(fails)).toEqual([[], []]);
  expect(m.queue(1, 1)).toMatchObject([{ type: 'spawnChild', child: 6, chunk: 1 }]);
});

test('children that keep dying with nothing to do are let be after a while', () => {
  const m = atFullSize(1);
  let child = 1;
  for (; m.exits(child).length > 0; child++) m.ready(child + 1);
  expect(child).toBe(6);
  expect(m.after(10_000)).toEqual([started(7)]);
});

test('a closed pool is not filled again', () => {
  const m = atFullSize(2);
  expect(m.step({ type: 'closeRequested' })).toEqual([retire(1), retire(2)]);
  expect(m.exits(1, undefined)).toEqual([]);
});

test('a larger size is filled, a smaller one kept', () => {
  const m = new TestMachine(2);
  warm(m, 8);
  m.ready(1);
  m.ready(2);
  expect(m.step({ type: 'resized', processes: 3 })).toEqual([started(3)]);
  expect(m.step({ type: 'resized', processes: 1 })).toHaveLength(2);
  expect(m.exits(1, undefined)).toEqual([]);
});
