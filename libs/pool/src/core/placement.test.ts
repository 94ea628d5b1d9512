import { expect, test } from 'vitest';
import { finished, retire, run, spawn, TestMachine, withChildren } from './pool-machine.testkit.ts';

test('a child that is used up for one job still serves another without a limit, until it leaves', () => {
  const m = withChildren(1);
  // It has run one item; a job with limit 1 needs a fresh one.
  expect(m.queue(1, 1, { maxTasksPerChild: 1 })).toEqual([retire(1), spawn(2, 1)]);
});

test('an idle child of another key leaves to make room', () => {
  const m = withChildren(1);
  expect(m.queue(1, 1, { key: 'other' })).toEqual([retire(1), spawn(2, 1, 'other')]);
});

test('a busy child of another key is waited for', () => {
  const m = withChildren(1);
  m.queue(1, 1);
  expect(m.queue(2, 1, { key: 'other' })).toEqual([]);
  m.began(1, 1);
  m.succeeded(1, 1, 0);
  expect(m.ended(1, 1, 1)).toEqual([finished(1), retire(1), spawn(2, 2, 'other')]);
});

test('a child that gets old while it loads its function runs one item all the same', () => {
  const m = new TestMachine(1);
  m.queue(1, 3, { maxAgeMs: 20 });
  m.ready(1);
  expect(m.after(50)).toEqual([]);
  expect(m.machine.nextDeadlineMs()).toBeUndefined();
  m.began(1, 1);
  expect(m.after(1)).toEqual([{ type: 'stopChild', child: 1 }, spawn(2, 1)]);
});

test('a child that starts for work that was taken back makes room for another key', () => {
  const m = new TestMachine(1);
  m.queue(1, 1, { key: 'hanging' });
  m.step({ type: 'childStarted', child: 1 });
  m.step({ type: 'abortRequested', chunk: 1, graceMs: 2_000 });
  expect(m.queue(2, 1, { key: 'other' })).toEqual([{ type: 'killChild', child: 1 }, spawn(2, 2, 'other')]);
  m.exits(1);
  expect(m.ready(2)).toEqual([run(2, 2, 0, 1)]);
});

test('a child that starts for work that waits is waited for', () => {
  const m = new TestMachine(1);
  m.queue(1, 1, { key: 'slow' });
  expect(m.queue(2, 1, { key: 'other' })).toEqual([]);
});

test('short chunks are given ahead, long ones are not', () => {
  const m = withChildren(1);
  m.queue(1, 10);
  expect(m.queue(2, 10)).toEqual([]);
  m.began(1, 1);
  for (let i = 0; i < 9; i++) m.succeeded(1, 1, i, 1, 0.1);
  m.succeeded(1, 1, 9, 1, 0.1);
  expect(m.ended(1, 1, 10)).toEqual([finished(1), run(1, 2, 0, 10)]);
  m.began(1, 2);
  m.succeeded(1, 2, 0, 5, 0.1);
  expect(m.queue(3, 10)).toEqual([run(1, 3, 0, 10)]);
});

test('chunks of a function that was short before are given ahead at once', () => {
  const m = withChildren(1);
  m.queue(1, 100, { task: 'first', kind: 'square' });
  m.began(1, 1);
  m.succeeded(1, 1, 0, 100, 1);
  m.ended(1, 1, 100);
  expect(m.queue(2, 100, { task: 'second', kind: 'square' })).toEqual([run(1, 2, 0, 100)]);
  expect(m.queue(3, 100, { task: 'second', kind: 'square' })).toEqual([run(1, 3, 0, 100)]);
  // Of what is of no kind nothing is known.
  const other = withChildren(1);
  other.queue(1, 100, { task: 'first' });
  other.runs(1, 1, 0, 100);
  other.queue(2, 100, { task: 'second' });
  expect(other.queue(3, 100, { task: 'second' })).toEqual([]);
});

test.each([
  { what: 'four short chunks', itemMs: 1, holds: 4 },
  { what: 'sixteen that take next to no time', itemMs: 0.01, holds: 16 },
])(
  'a child holds $what at most, and the last one comes back to a child that has nothing to do',
  ({ itemMs, holds }) => {
    const m = withChildren(2);
    m.queue(1, 1);
    m.queue(2, 1);
    m.began(1, 1);
    m.succeeded(1, 1, 0, 1, itemMs);
    m.ended(1, 1, 1);
    const more = 2 * holds - 1;
    const given = Array.from({ length: more }, (_, at) => m.queue(3 + at, 1).map((command) => command.type));
    expect(given.flat()).toHaveLength(more);
    expect(m.queue(3 + more, 1)).toEqual([]);
    m.began(1, 3);
    m.succeeded(1, 3, 0, 1, itemMs);
    expect(m.ended(1, 3, 1)).toEqual([finished(3), run(1, 3 + more, 0, 1)]);
  },
);

test('nothing is given ahead behind another job', () => {
  const m = withChildren(1);
  m.queue(1, 1, { task: 'short' });
  m.began(1, 1);
  m.succeeded(1, 1, 0, 1, 0.1);
  m.ended(1, 1, 1);
  m.queue(2, 2, { task: 'other' });
  m.began(1, 2);
  m.succeeded(1, 2, 0, 1, 0.1);
  expect(m.queue(3, 1, { task: 'short' })).toEqual([]);
  m.succeeded(1, 2, 1, 1, 0.1);
  expect(m.ended(1, 2, 2)).toEqual([finished(2), run(1, 3, 0, 1)]);
});

test('a short chunk is not given ahead of a long one that was handed in before it', () => {
  const m = withChildren(1);
  m.queue(1, 2);
  m.began(1, 1);
  m.succeeded(1, 1, 0, 1, 1);
  expect(m.queue(2, 30)).toEqual([]);
  expect(m.queue(3, 1)).toEqual([]);
  m.succeeded(1, 1, 1, 1, 1);
  expect(m.ended(1, 1, 2)).toEqual([finished(1), run(1, 2, 0, 30)]);
});

test('a chunk that was given ahead comes back to a child that has nothing to do', () => {
  const m = withChildren(2);
  m.queue(1, 1);
  m.queue(2, 1);
  m.began(1, 1);
  m.succeeded(1, 1, 0, 1, 0.1);
  m.ended(1, 1, 1);
  m.queue(3, 1);
  expect(m.queue(4, 1)).toEqual([run(1, 4, 0, 1)]);
  m.began(1, 3);
  m.began(2, 2);
  m.succeeded(2, 2, 0, 1, 0.1);
  expect(m.ended(2, 2, 1)).toEqual([
    finished(2),
    { type: 'abortPart', child: 1, chunk: 4, reason: 'recalled' },
  ]);
  expect(m.ended(1, 4, 0)).toEqual([run(2, 4, 0, 1)]);
});

test('of what was given ahead a child that has run too much for one chunk gets the next one back', () => {
  const m = withChildren(3);
  for (const chunk of [1, 2, 3]) m.queue(chunk, 1);
  for (const chunk of [1, 2, 3]) m.runs(chunk, chunk, 0, 1, 0.1);
  m.queue(4, 1);
  m.queue(5, 1);
  for (const chunk of [6, 7, 8]) {
    expect(m.queue(chunk, 1)).toEqual([run(3, chunk, 0, 1)]);
    m.runs(3, chunk, 0, 1, 0.1);
  }
  m.queue(9, 1);
  expect(m.queue(10, 1, { maxTasksPerChild: 4 })).toContainEqual(run(1, 10, 0, 1));
  expect(m.queue(11, 1)).toContainEqual(run(2, 11, 0, 1));
  expect(m.runs(3, 9, 0, 1, 0.1)).toContainEqual({
    type: 'abortPart',
    child: 2,
    chunk: 11,
    reason: 'recalled',
  });
});

test('nothing is given ahead while a child is coming that would run it at once', () => {
  const m = new TestMachine(2);
  m.queue(1, 1);
  m.ready(1);
  m.began(1, 1);
  m.succeeded(1, 1, 0, 1, 0.1);
  m.ended(1, 1, 1);
  m.queue(2, 1);
  expect(m.queue(3, 1)).toEqual([spawn(2, 3)]);
  expect(m.began(1, 2)).toEqual([]);
  expect(m.ready(2)).toEqual([run(2, 3, 0, 1)]);
});

test('what runs side by side with others is not called back', () => {
  const m = withChildren(2);
  const side = { concurrentTasks: 2, marksStarts: true };
  m.queue(1, 1, side);
  m.queue(2, 1, side);
  m.queue(3, 1, side);
  for (const [child, chunk] of [
    [1, 1],
    [2, 2],
    [1, 3],
  ] as const) {
    m.began(child, chunk);
    m.starts(child, chunk, 0);
  }
  m.succeeded(2, 2, 0);
  expect(m.ended(2, 2, 1)).toEqual([finished(2)]);
});

test('where several items run at once, a child takes further chunks until it is full', () => {
  const m = new TestMachine(1);
  m.queue(1, 1, { concurrentTasks: 2, marksStarts: true });
  m.queue(2, 1, { concurrentTasks: 2, marksStarts: true });
  m.queue(3, 1, { concurrentTasks: 2, marksStarts: true });
  expect(m.ready(1)).toEqual([run(1, 1, 0, 1), run(1, 2, 0, 1)]);
});
