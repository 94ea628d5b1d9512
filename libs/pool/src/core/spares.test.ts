import { expect, test } from 'vitest';
import { finished, retire, run, spawn, TestMachine } from './pool-machine.testkit.ts';

test('a spare takes no slot and no work while its predecessor is there', () => {
  const m = new TestMachine(1);
  m.queue(1, 2, { maxTasksPerChild: 2 });
  m.ready(1);
  m.ready(2);
  expect(m.queue(2, 1, { maxTasksPerChild: 2 })).toEqual([]);
  expect(m.snapshot.children.map(({ isSpare }) => isSpare)).toEqual([false, true]);
});

test('a successor that is late, for its predecessor lived shorter than it takes to start, has one that starts beside it', () => {
  const m = new TestMachine(1);
  for (const chunk of [1, 2, 3]) m.queue(chunk, 1, { maxTasksPerChild: 1 });
  expect(m.ready(1)).toEqual([run(1, 1, 0, 1), spawn(2, 1)]);
  expect(m.runs(1, 1, 0, 1)).toEqual([finished(1), retire(1), spawn(3, 2)]);
  // Nobody further follows whoever is there by now.
  expect(m.ready(2)).toEqual([run(2, 2, 0, 1)]);
  expect(m.runs(2, 2, 0, 1)).toEqual([finished(2), retire(2), spawn(4, 3)]);
  expect(m.ready(3)).toEqual([run(3, 3, 0, 1)]);
});

test('a successor that is late has none where nothing waits for it, where that does not use it up, and in a pool that closes', () => {
  for (const [count, maxTasksPerChild, isClosing] of [
    [1, 1, false],
    [3, 2, false],
    [3, 1, true],
  ] as const) {
    const m = new TestMachine(1);
    m.queue(1, count, { maxTasksPerChild });
    m.ready(1);
    if (isClosing) m.step({ type: 'closeRequested' });
    expect(m.runs(1, 1, 0, maxTasksPerChild)).not.toContainEqual(spawn(3, 1));
  }
});

test('a spare that fails is not replaced over and over', () => {
  const m = new TestMachine(1);
  m.queue(1, 1, { maxTasksPerChild: 1 });
  m.ready(1);
  expect(m.exits(2)).toEqual([]);
  m.atMs = 20_000;
  expect(m.after(0)).toEqual([spawn(3, 1)]);
});

test('a successor does not take the room that was made for work of another key', () => {
  const t = new TestMachine(3);
  for (const chunk of [1, 2]) t.queue(chunk, 1, { maxTasksPerChild: 1 });
  t.queue(3, 1);
  for (const child of [1, 2, 3, 4, 5]) t.ready(child);
  t.queue(4, 1, { key: 'other' });
  t.queue(5, 1, { key: 'other' });
  // Children 1 and 2 run their last items, 4 and 5 are to follow them. Child 3 has nothing to do and makes room.
  expect(t.runs(3, 3, 0, 1)).toEqual([finished(3), retire(3), spawn(6, 4, 'other')]);
});
