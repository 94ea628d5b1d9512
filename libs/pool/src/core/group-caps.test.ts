import { expect, test } from 'vitest';
import { finished, run, spawn, TestMachine } from './pool-machine.testkit.ts';

/** What a group may have of the pool, as its chunk of this order says. */
const share = (slots: number | undefined, order: number) => ({ group: { id: 'g', slots, order } });

test('no more children are busy for a group than its newest chunk allows; the rest waits, and others run beside it', () => {
  const m = new TestMachine(4);
  expect(m.queue(1, 1, share(1, 1))).toEqual([spawn(1, 1)]);
  expect(m.queue(2, 1, share(1, 2))).toEqual([]);
  expect(m.queue(3, 1, share(2, 3))).toEqual([spawn(2, 2)]);
  expect([m.ready(1), m.ready(2)].flat()).toEqual([run(1, 1, 0, 1), run(2, 2, 0, 1)]);
  expect(m.queue(4, 1, { key: 'other', group: { id: 'h', slots: 1, order: 4 } })).toEqual([
    spawn(3, 4, 'other'),
  ]);
  expect(m.runs(2, 2, 0, 1)).toEqual([finished(2), run(2, 3, 0, 1)]);
});

test('a group that may use fewer children from now on waits until as few are busy', () => {
  const m = new TestMachine(4);
  m.queue(1, 1, share(1, 1));
  m.queue(2, 1, share(2, 2));
  m.ready(1);
  m.ready(2);
  m.queue(3, 1, share(1, 3));
  expect(m.runs(1, 1, 0, 1)).toEqual([finished(1)]);
  expect(m.runs(2, 2, 0, 1)).toEqual([finished(2), run(1, 3, 0, 1)]);
});

test('a chunk that was handed in late says nothing of what its group may use by then', () => {
  const m = new TestMachine(4);
  expect(m.queue(2, 1, share(1, 2))).toEqual([spawn(1, 2)]);
  expect(m.queue(1, 1, share(2, 1))).toEqual([]);
  m.ready(1);
  expect(m.runs(1, 2, 0, 1)).toEqual([finished(2), run(1, 1, 0, 1)]);
});

test('a group that may use all children again does, and one without chunks leaves no cap behind', () => {
  const m = new TestMachine(4);
  m.queue(1, 1, share(1, 1));
  expect(m.queue(2, 1, share(undefined, 2))).toEqual([spawn(2, 2)]);
  m.ready(1);
  m.ready(2);
  m.runs(1, 1, 0, 1);
  m.runs(2, 2, 0, 1);
  expect([m.queue(3, 1), m.queue(4, 1)].flat()).toEqual([run(1, 3, 0, 1), run(2, 4, 0, 1)]);
});

test('behind the busy child of a group at its cap short chunks wait in the child, though others could be started', () => {
  const m = new TestMachine(2);
  m.queue(1, 4, share(1, 1));
  m.ready(1);
  m.runs(1, 1, 0, 4, 4);
  m.queue(2, 4, share(1, 2));
  expect(m.queue(3, 4, share(1, 3))).toEqual([run(1, 3, 0, 4)]);
  // Another one that is idle may not take it.
  m.queue(4, 1, { key: 'k', task: 'other' });
  m.ready(2);
  expect(m.runs(2, 4, 0, 1)).toEqual([finished(4)]);
});

test('calls of a child whose group is at its cap go on with the next chunks', () => {
  const m = new TestMachine(2);
  const several = { concurrentTasks: 4, marksStarts: true };
  m.queue(1, 4, { ...several, ...share(1, 1) });
  m.ready(1);
  expect(m.queue(2, 4, { ...several, ...share(1, 2) })).toEqual([]);
  m.began(1, 1);
  m.starts(1, 1, 0);
  m.succeeded(1, 1, 0);
  // It is given out with the next event that is not a value, of which there are many.
  expect(m.after(1)).toEqual([run(1, 2, 0, 4)]);
});
