import { expect, test } from 'vitest';
import {
  aborted,
  exitOf,
  finished,
  kill,
  range,
  retire,
  run,
  spawn,
  TestMachine,
} from './pool-machine.testkit.ts';

/** A machine with children 1 … n, ready and idle. */
function withChildren(n: number): TestMachine {
  const m = new TestMachine(n);
  for (let i = 1; i <= n; i++) m.queue(-i, 1, { task: 'earlier' });
  for (let i = 1; i <= n; i++) m.ready(i);
  for (let i = 1; i <= n; i++) m.runs(i, -i, 0, 1);
  return m;
}

test('a chunk without a child gets one, and is run when that is ready', () => {
  const m = new TestMachine(2);
  expect(m.queue(1, 3)).toEqual([spawn(1, 1)]);
  expect(m.ready(1)).toEqual([run(1, 1, 0, 3)]);
  expect(m.runs(1, 1, 0, 3)).toEqual([finished(1)]);
});

test('no more children are started than chunks wait, and none beyond `processes`', () => {
  const m = new TestMachine(2);
  expect(m.queue(1, 1)).toEqual([spawn(1, 1)]);
  expect(m.queue(2, 1)).toEqual([spawn(2, 2)]);
  expect(m.queue(3, 1)).toEqual([]);
  expect(m.ready(2)).toEqual([run(2, 1, 0, 1)]);
});

test('values are accepted once, in the step in which they came', () => {
  const m = withChildren(1);
  m.queue(1, 3);
  m.began(1, 1);
  expect(m.succeeded(1, 1, 0, 2)).toEqual([{ type: 'acceptValues', chunk: 1 }]);
  expect(m.succeeded(1, 1, 1)).toEqual([kill(1)]);
});

test('results that were never asked for kill the child, and its items are suspects', () => {
  const m = withChildren(1);
  m.queue(1, 2);
  m.began(1, 1);
  expect(m.succeeded(1, 1, 7)).toEqual([kill(1)]);
  expect(m.exits(1)).toMatchObject([
    { type: 'endChunk', ending: { kind: 'childDied', suspects: [range(0, 2)] } },
  ]);
});

test('a limit splits a chunk at the very call; the chunk goes on in the successor', () => {
  const m = new TestMachine(1);
  m.queue(1, 3, { maxTasksPerChild: 2 });
  // The successor is started when its predecessor gets its last items.
  expect(m.ready(1)).toEqual([run(1, 1, 0, 2), spawn(2, 1)]);
  expect(m.ready(2)).toEqual([]);
  expect(m.runs(1, 1, 0, 2)).toEqual([retire(1), run(2, 1, 2, 1)]);
  expect(m.snapshot.recycled).toBe(1);
});

test('the limit counts over chunks and jobs, and what was given back unstarted does not count', () => {
  const m = new TestMachine(1);
  m.queue(1, 3, { maxTasksPerChild: 4 });
  m.ready(1);
  m.began(1, 1);
  m.step({ type: 'abortRequested', chunk: 1, graceMs: 100 });
  m.succeeded(1, 1, 0);
  expect(m.ended(1, 1, 1)).toEqual([aborted(1, range(0))]);
  // One of four is used up.
  expect(m.queue(2, 5, { maxTasksPerChild: 4, task: 'other' })).toEqual([run(1, 2, 0, 3), spawn(2, 2)]);
});

test('a child that is used up for one job still serves another without a limit, until it leaves', () => {
  const m = withChildren(1);
  // It has run one item; a job with limit 1 needs a fresh one.
  expect(m.queue(1, 1, { maxTasksPerChild: 1 })).toEqual([retire(1), spawn(2, 1)]);
});

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

test.each([199, 200])(
  'a chunk of another key that has waited for %i ms is overtaken by what is given ahead if that is less than 200',
  (ms) => {
    const m = withChildren(1);
    m.queue(1, 1);
    m.runs(1, 1, 0, 1, 0.1);
    expect(m.queue(2, 1)).toEqual([run(1, 2, 0, 1)]);
    expect(m.queue(3, 1, { key: 'other' })).toEqual([]);
    m.after(ms);
    const ahead = m.queue(4, 1);
    expect(ahead).toEqual(ms < 200 ? [run(1, 4, 0, 1)] : []);
    if (ms < 200) m.runs(1, 2, 0, 1, 0.1);
    // A child that always has its next chunk in hand would never make room.
    const last = ms < 200 ? 4 : 2;
    expect(m.runs(1, last, 0, 1, 0.1)).toEqual([finished(last), retire(1), spawn(2, 3, 'other')]);
  },
);

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

test('of a chunk that is recalled nothing more starts; what runs is reported, and what is left goes back', () => {
  const m = withChildren(1);
  m.queue(1, 30);
  m.queue(2, 30);
  m.began(1, 1);
  expect(m.recall(2)).toEqual([aborted(2)]);
  expect(m.recall(1)).toEqual([{ type: 'abortPart', child: 1, chunk: 1, reason: 'recalled' }]);
  expect(m.recall(1)).toEqual([]);
  expect(m.succeeded(1, 1, 0, 4)).toEqual([{ type: 'acceptValues', chunk: 1 }]);
  m.queue(3, 1);
  expect(m.ended(1, 1, 4)).toEqual([aborted(1), run(1, 3, 0, 1)]);
  expect(m.recall(1)).toEqual([]);
});

test('a chunk that is recalled too late has finished, and a child that dies with it is told of as ever', () => {
  const m = withChildren(2);
  m.queue(1, 2);
  m.queue(2, 2);
  m.began(1, 1);
  m.began(2, 2);
  m.recall(1);
  m.recall(2);
  m.succeeded(1, 1, 0, 2);
  expect(m.ended(1, 1, 2)).toEqual([finished(1)]);
  m.succeeded(2, 2, 0, 1);
  expect(m.exits(2)).toMatchObject([
    { type: 'endChunk', ending: { kind: 'childDied', suspects: [range(1)] } },
  ]);
});

test('a chunk that is recalled and had not begun when its child died goes back as well', () => {
  const m = withChildren(1);
  m.queue(1, 1);
  m.runs(1, 1, 0, 1, 0.1);
  m.queue(2, 1);
  expect(m.queue(3, 1)).toEqual([run(1, 3, 0, 1)]);
  m.recall(3);
  m.began(1, 2);
  expect(m.exits(1)).toContainEqual(aborted(3));
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

test('what runs beside an item that takes too long is reported as begun where it may not run twice', () => {
  const m = withChildren(1);
  m.queue(1, 4, { concurrentTasks: 2, marksStarts: true, runsOnce: true, timeoutMs: 100 });
  m.began(1, 1);
  m.starts(1, 1, 0);
  m.after(50);
  m.starts(1, 1, 1);
  m.after(50);
  m.after(100);
  const [ended] = m.exits(1);
  expect(ended).toMatchObject({
    type: 'endChunk',
    ending: { kind: 'timedOut', index: 0, started: [range(1)], unstarted: [range(2, 2)] },
  });
});

test('what runs in a child that is killed for another chunk is reported as begun where it may not run twice', () => {
  const m = withChildren(1);
  const side = { concurrentTasks: 2, marksStarts: true };
  m.queue(1, 1, { ...side, timeoutMs: 100 });
  m.queue(2, 1, { ...side, runsOnce: true });
  m.queue(3, 1, side);
  for (const chunk of [1, 2]) {
    m.began(1, chunk);
    m.starts(1, chunk, 0);
  }
  m.after(100);
  m.after(100);
  const ends = m.exits(1).filter(({ type }) => type === 'endChunk');
  expect(ends).toMatchObject([
    { chunk: 2, ending: { kind: 'aborted', started: [range(0)] } },
    { chunk: 1, ending: { kind: 'timedOut', index: 0 } },
  ]);
});

test('what had not begun goes back without a word when its child dies', () => {
  const m = withChildren(1);
  m.queue(1, 10);
  m.began(1, 1);
  m.succeeded(1, 1, 0, 8, 0.001);
  for (let i = 0; i < 20; i++) m.after(0);
  m.queue(2, 1, { task: 't' });
  m.succeeded(1, 1, 8, 1, 0.001);
  const commands = m.exits(1);
  expect(commands).toEqual([
    {
      type: 'endChunk',
      chunk: 1,
      child: 1,
      ending: { kind: 'childDied', exit: exitOf(1), ms: 0, suspects: [range(9)], unstarted: [] },
    },
    spawn(2, 2),
  ]);
});

test('without start marks everything that was not reported is suspect; the rest of the chunk had not started', () => {
  const m = new TestMachine(1);
  m.queue(1, 10, { maxTasksPerChild: 4 });
  m.ready(1);
  m.began(1, 1);
  m.succeeded(1, 1, 0);
  m.atMs = 50;
  expect(m.exits(1)[0]).toMatchObject({
    ending: { kind: 'childDied', ms: 50, suspects: [range(1, 3)], unstarted: [range(4, 6)] },
  });
});

test('with start marks exactly the item that runs is suspect', () => {
  const m = withChildren(1);
  m.queue(1, 4, { marksStarts: true });
  m.began(1, 1);
  m.starts(1, 1, 0);
  m.succeeded(1, 1, 0);
  m.starts(1, 1, 1);
  expect(m.exits(1)[0]).toMatchObject({ ending: { suspects: [range(1)], unstarted: [range(2, 2)] } });
});

test('last words make the blame exact', () => {
  const m = withChildren(1);
  m.queue(1, 10);
  m.began(1, 1);
  m.succeeded(1, 1, 0, 3);
  m.step({ type: 'childExiting', child: 1, running: [{ chunk: 1, index: 3 }] });
  expect(m.exits(1, undefined)[0]).toMatchObject({
    ending: { suspects: [range(3)], unstarted: [range(4, 6)] },
  });
});

test('a child that has said its last words and does not end is killed, and blamed for what it ran', () => {
  const m = withChildren(1);
  m.queue(1, 2);
  m.began(1, 1);
  m.step({ type: 'childExiting', child: 1, running: [{ chunk: 1, index: 0 }] });
  expect(m.after(29_999)).toEqual([]);
  expect(m.after(1)).toEqual([{ type: 'killChild', child: 1 }]);
  expect(m.exits(1, undefined)[0]).toMatchObject({ ending: { suspects: [range(0)] } });
});

test('a death between items blames nobody: the chunk goes on elsewhere', () => {
  const m = withChildren(1);
  m.queue(1, 10);
  m.began(1, 1);
  m.succeeded(1, 1, 0, 3);
  m.step({ type: 'childExiting', child: 1, running: [] });
  expect(m.exits(1, undefined)).toEqual([spawn(2, 1)]);
  expect(m.ready(2)).toEqual([run(2, 1, 3, 7)]);
  expect(m.snapshot.deaths).toBe(1);
});

test.each([
  ['with', true],
  ['without', false],
])(
  'a child that dies with its server says who was running, and is no death of the pool (%s marks)',
  (_, marks) => {
    const m = withChildren(1);
    m.queue(1, 3, { marksStarts: marks });
    m.began(1, 1);
    if (marks) m.starts(1, 1, 0);
    m.succeeded(1, 1, 0);
    if (marks) m.starts(1, 1, 1);
    const suspects = [marks ? range(1) : range(1, 2)];
    const unstarted = marks ? [range(2)] : [];
    const exit = { withItsServer: true };
    expect(m.losesServer(1)[0]).toMatchObject({ ending: { kind: 'childDied', suspects, unstarted, exit } });
    expect(m.snapshot.deaths).toBe(0);
  },
);

test('what had not begun when a server died goes on in another child, as often as that happens', () => {
  const m = withChildren(1);
  m.queue(1, 1);
  for (let child = 1; child < 20; child++) {
    expect(m.losesServer(child)).toEqual([spawn(child + 1, 1)]);
    expect(m.ready(child + 1)).toEqual([run(child + 1, 1, 0, 1)]);
  }
  expect(m.runs(20, 1, 0, 1)).toEqual([finished(1)]);
  expect(m.snapshot.deaths).toBe(0);
});

test('a child that we kill dies of that, although its server dies meanwhile', () => {
  const m = withChildren(1);
  m.queue(1, 1);
  m.began(1, 1);
  m.step({ type: 'channelBroken', child: 1 });
  const [ended] = m.losesServer(1);
  expect(ended).toMatchObject({ ending: { kind: 'childDied', suspects: [range(0)] } });
  expect(JSON.stringify(ended)).not.toContain('withItsServer');
});

test('of those who were running when a server died one runs at a time, and others beside it', () => {
  const m = withChildren(2);
  m.queue(1, 1);
  m.queue(2, 1, { first: 1 });
  for (const child of [1, 2]) {
    m.began(child, child);
    m.losesServer(child);
  }
  // They are tried again, before what is new.
  m.queue(3, 1);
  m.queue(4, 1, { first: 1 });
  m.queue(5, 1, { first: 2 });
  expect(m.ready(3)).toEqual([run(3, 3, 0, 1)]);
  expect(m.ready(4)).toEqual([run(4, 5, 2, 1)]);
  expect(m.runs(4, 5, 2, 1)).toEqual([finished(5)]);
  expect(m.runs(3, 3, 0, 1)).toEqual([finished(3), run(3, 4, 1, 1)]);
  expect(m.runs(3, 4, 1, 1)).toEqual([finished(4)]);
  // Who has ended in another way is no suspect any more.
  m.queue(6, 1);
  expect(m.queue(7, 1, { first: 1 })).toHaveLength(1);
});

test('a function that kills its children outside items is given up at the sixth death in 10 s', () => {
  const m = new TestMachine(1);
  m.queue(1, 1);
  for (let child = 1; child <= 5; child++) {
    m.ready(child);
    expect(m.exits(child)).toEqual([spawn(child + 1, 1)]);
  }
  m.ready(6);
  expect(m.exits(6)).toEqual([
    { type: 'endChunk', chunk: 1, ending: { kind: 'taskFailed' }, child: 6, why: 'killsChildren' },
  ]);
});

test('deaths outside items are forgiven while items get done', () => {
  const m = new TestMachine(1);
  m.queue(1, 20);
  for (let child = 1; child <= 20; child++) {
    m.ready(child);
    m.began(child, 1);
    m.succeeded(child, 1, child - 1);
    m.step({ type: 'childExiting', child, running: [] });
    expect(m.exits(child)).toEqual([child < 20 ? spawn(child + 1, 1) : finished(1)]);
  }
});

test('an initializer that fails three times in a row ends what waits for its key, and no more is started', () => {
  const m = new TestMachine(2);
  m.queue(1, 1);
  m.queue(2, 1);
  for (const child of [1, 2]) {
    m.step({ type: 'childStarted', child });
    expect(m.step({ type: 'initializerThrew', child })).toEqual([kill(child)]);
  }
  expect(m.exits(1)).toEqual([spawn(3, 1)]);
  expect(m.exits(2)).toEqual([spawn(4, 2)]);
  m.step({ type: 'childStarted', child: 3 });
  const ending = { kind: 'initializerFailed' };
  const why = 'childrenDoNotStart';
  expect(m.exits(3)).toEqual([
    { type: 'endChunk', chunk: 1, ending, child: 3, why },
    { type: 'endChunk', chunk: 2, ending, child: 3, why },
  ]);
});

test('an item that runs too long is warned, then killed, then named; the others go back free', () => {
  const m = withChildren(1);
  m.queue(1, 3, { marksStarts: true, timeoutMs: 1_000 });
  m.began(1, 1);
  m.starts(1, 1, 0);
  expect(m.machine.nextDeadlineMs()).toBe(1_000);
  expect(m.after(1_000)).toEqual([{ type: 'abortPart', child: 1, chunk: 1, reason: 'timedOut', index: 0 }]);
  expect(m.after(100)).toEqual([kill(1)]);
  expect(m.exits(1)).toEqual([
    {
      type: 'endChunk',
      chunk: 1,
      child: 1,
      ending: { kind: 'timedOut', index: 0, exit: exitOf(1), ms: 1_000, unstarted: [range(1, 2)] },
    },
  ]);
  expect(m.snapshot.deaths).toBe(0);
});

test('an item that finishes in its grace time has run too long all the same', () => {
  const m = withChildren(1);
  m.queue(1, 1, { marksStarts: true, timeoutMs: 1_000 });
  m.began(1, 1);
  m.starts(1, 1, 0);
  m.after(1_000);
  expect(m.succeeded(1, 1, 0)).toEqual([]);
  expect(m.ended(1, 1, 1)).toEqual([kill(1)]);
  expect(m.exits(1)).toMatchObject([{ ending: { kind: 'timedOut', index: 0, unstarted: [] } }]);
});

test('values that come together where each comes by itself kill the child, and none is lost with an item that ran too long', () => {
  const m = withChildren(1);
  m.queue(1, 3, { concurrentTasks: 2, marksStarts: true, timeoutMs: 1_000 });
  m.began(1, 1);
  m.starts(1, 1, 0);
  m.after(500);
  m.starts(1, 1, 1);
  m.after(500);
  expect(m.succeeded(1, 1, 0, 2)).toEqual([kill(1)]);
  expect(m.exits(1)).toMatchObject([{ ending: { kind: 'timedOut', index: 0, unstarted: [range(1, 2)] } }]);
});

test('an abort of a chunk that waits ends it at once', () => {
  const m = new TestMachine(1);
  m.queue(1, 1);
  expect(m.step({ type: 'abortRequested', chunk: 1, graceMs: 100 })).toEqual([aborted(1)]);
});

test('an abort of a chunk that runs gives it the grace time, then kills; nothing more is accepted', () => {
  const m = withChildren(1);
  m.queue(1, 2);
  m.began(1, 1);
  expect(m.step({ type: 'abortRequested', chunk: 1, graceMs: 100 })).toEqual([
    { type: 'abortPart', child: 1, chunk: 1, reason: 'aborted' },
  ]);
  expect(m.succeeded(1, 1, 0)).toEqual([]);
  expect(m.after(100)).toEqual([kill(1)]);
  expect(m.exits(1)).toEqual([aborted(1, range(0, 2))]);
  expect(m.snapshot.deaths).toBe(0);
});

test('G5: an aborted chunk tells which items had begun: those reported too late, and those that the kill hit', () => {
  const m = withChildren(1);
  m.queue(1, 4, { marksStarts: true });
  m.began(1, 1);
  m.starts(1, 1, 0);
  m.succeeded(1, 1, 0);
  m.starts(1, 1, 1);
  m.step({ type: 'abortRequested', chunk: 1, graceMs: 100 });
  m.succeeded(1, 1, 1);
  m.starts(1, 1, 2);
  m.after(100);
  expect(m.exits(1)).toEqual([aborted(1, range(1, 2))]);
});

test('a child that gives in within the grace time is not killed later', () => {
  const m = withChildren(1);
  m.queue(1, 2);
  m.began(1, 1);
  m.step({ type: 'abortRequested', chunk: 1, graceMs: 100 });
  expect(m.ended(1, 1, 0)).toEqual([aborted(1)]);
  m.queue(2, 1);
  expect(m.after(1_000)).toEqual([]);
});

test('an innocent beside an aborted chunk goes back free when their child is killed', () => {
  const m = withChildren(1);
  m.queue(1, 1, { concurrentTasks: 4, marksStarts: true });
  m.queue(2, 1, { concurrentTasks: 4, marksStarts: true });
  for (const chunk of [1, 2]) {
    m.began(1, chunk);
    m.starts(1, chunk, 0);
  }
  m.step({ type: 'abortRequested', chunk: 1, graceMs: 100 });
  m.after(100);
  expect(m.exits(1)).toEqual([aborted(1, range(0)), spawn(2, 2)]);
});

test('where several items run at once, a child takes further chunks until it is full', () => {
  const m = new TestMachine(1);
  m.queue(1, 1, { concurrentTasks: 2, marksStarts: true });
  m.queue(2, 1, { concurrentTasks: 2, marksStarts: true });
  m.queue(3, 1, { concurrentTasks: 2, marksStarts: true });
  expect(m.ready(1)).toEqual([run(1, 1, 0, 1), run(1, 2, 0, 1)]);
});

test('a channel that ends without an exit costs the child its life after 100 ms, and its items are suspects', () => {
  const m = withChildren(1);
  m.queue(1, 1);
  m.began(1, 1);
  m.step({ type: 'channelLost', child: 1 });
  expect(m.after(99)).toEqual([]);
  expect(m.after(1)).toEqual([kill(1)]);
  expect(m.exits(1)).toMatchObject([{ ending: { kind: 'childDied', suspects: [range(0)] } }]);
});

test('a child that does not leave when it is asked to is killed', () => {
  const m = new TestMachine(1);
  m.queue(1, 1, { maxTasksPerChild: 1 });
  m.ready(1);
  m.runs(1, 1, 0, 1);
  expect(m.after(1_000)).toEqual([kill(1)]);
  expect(m.exits(1)).toEqual([]);
  expect(m.snapshot).toMatchObject({ recycled: 1, deaths: 0 });
});

test('a child that is too big gives the rest of its part back and leaves', () => {
  const m = withChildren(1);
  m.queue(1, 4);
  m.began(1, 1);
  m.succeeded(1, 1, 0);
  expect(m.ended(1, 1, 1, true)).toEqual([retire(1), spawn(2, 1)]);
  expect(m.ready(2)).toEqual([run(2, 1, 1, 3)]);
});

test('a child that is too old leaves: idle at once, busy after its item', () => {
  const m = new TestMachine(1);
  m.queue(1, 2, { maxAgeMs: 1_000 });
  m.ready(1);
  m.began(1, 1);
  expect(m.machine.nextDeadlineMs()).toBe(1_000);
  expect(m.after(1_000)).toEqual([{ type: 'stopChild', child: 1 }, spawn(2, 1)]);
  m.succeeded(1, 1, 0);
  m.ready(2);
  expect(m.ended(1, 1, 1)).toEqual([retire(1), run(2, 1, 1, 1)]);
  m.exits(1, undefined);
  m.runs(2, 1, 1, 1);
  expect(m.after(1_000)).toEqual([retire(2)]);
});

test('after a smaller size, idle children leave at once and busy ones when they are done', () => {
  const m = withChildren(2);
  m.queue(1, 1);
  expect(m.step({ type: 'resized', processes: 1 })).toEqual([retire(2)]);
  m.queue(2, 1);
  expect(m.step({ type: 'resized', processes: 0 })).toEqual([]);
  expect(m.runs(1, 1, 0, 1)).toEqual([finished(1), retire(1)]);
});

test('close lets work finish, then everybody leaves', () => {
  const m = withChildren(2);
  m.queue(1, 1);
  expect(m.step({ type: 'closeRequested' })).toEqual([]);
  expect(m.runs(1, 1, 0, 1)).toEqual([finished(1), retire(1), retire(2)]);
  m.exits(1, undefined);
  m.exits(2, undefined);
  expect(m.machine.isEmpty).toBe(true);
  expect(m.snapshot.deaths).toBe(0);
});

test('terminate ends every chunk as aborted and kills every child', () => {
  const m = withChildren(1);
  m.queue(1, 1);
  m.queue(2, 1);
  expect(m.step({ type: 'terminateRequested' })).toEqual([aborted(1), aborted(2), kill(1)]);
  expect(m.exits(1)).toEqual([]);
  expect(m.machine.isEmpty).toBe(true);
});

test('a function that cannot be loaded ends its chunk; its child lives on', () => {
  const m = withChildren(1);
  m.queue(1, 3);
  expect(m.step({ type: 'taskUnloadable', child: 1, chunk: 1 })).toEqual([
    { type: 'endChunk', chunk: 1, ending: { kind: 'taskFailed' }, child: 1, why: 'unloadable' },
  ]);
  expect(m.queue(2, 1)).toEqual([run(1, 2, 0, 1)]);
});

test('children that say nothing at all fail to start, one by one, and what waits for them ends (edges of startMs)', () => {
  const m = new TestMachine(1, { startMs: 1_000 });
  m.queue(1, 1);
  for (const child of [1, 2]) {
    expect(m.after(999)).toEqual([]);
    expect(m.after(1)).toEqual([kill(child)]);
    expect(m.exits(child)).toEqual([spawn(child + 1, 1)]);
  }
  expect(m.after(1_000)).toEqual([kill(3)]);
  const ending = { kind: 'taskFailed' };
  expect(m.exits(3)).toEqual([{ type: 'endChunk', chunk: 1, ending, child: 3, why: 'childrenHangAtStart' }]);
  expect(m.snapshot).toMatchObject({ children: [], deaths: 3 });
});

test('children that wait for a debugger have no limit to their start, come they with work or before it', () => {
  const m = new TestMachine(2, { startMs: 1_000 });
  m.step({ type: 'warmRequested', key: 'k', count: 1, waitsForDebugger: true });
  m.queue(1, 2, { key: 'other', waitsForDebugger: true });
  expect(m.machine.nextDeadlineMs()).toBe(undefined);
  expect(m.after(3_600_000)).toEqual([]);
  expect(m.ready(2)).toEqual([run(2, 1, 0, 2)]);
});

test('a child that has said a word has not hung at its start, and unheard words are waited for', () => {
  const m = new TestMachine(1, { startMs: 1_000 });
  m.queue(1, 1);
  m.step({ type: 'newsHeld', held: true });
  expect(m.after(5_000)).toEqual([]);
  m.step({ type: 'newsHeld', held: false });
  expect(m.after(999)).toEqual([]);
  m.step({ type: 'childStarted', child: 1 });
  expect(m.after(1)).toEqual([]);
});

test('an initializer that is not done in time ends what waits for it at once', () => {
  const m = new TestMachine(1, { initializerMs: 1_000 });
  m.queue(1, 1);
  m.step({ type: 'childStarted', child: 1 });
  expect(m.machine.nextDeadlineMs()).toBe(1_000);
  expect(m.after(999)).toEqual([]);
  expect(m.after(1)).toEqual([
    kill(1),
    {
      type: 'endChunk',
      chunk: 1,
      ending: { kind: 'initializerFailed' },
      child: 1,
      why: 'initializerHangs',
    },
  ]);
  expect(m.exits(1)).toEqual([]);
  expect(m.snapshot).toMatchObject({ children: [], deaths: 0 });
});

test('children of a key that nobody asks for any more leave, unless a chunk of theirs is here', () => {
  const m = new TestMachine(3);
  m.queue(1, 1, { key: 'idle' });
  m.queue(2, 1, { key: 'starting' });
  m.queue(3, 1, { key: 'busy' });
  m.ready(1);
  m.runs(1, 1, 0, 1);
  m.step({ type: 'abortRequested', chunk: 2, graceMs: 100 });
  m.ready(3);
  expect(m.step({ type: 'keysReleased', keys: new Set(['idle', 'starting', 'busy']) })).toEqual([
    retire(1),
    kill(2),
  ]);
  expect(m.snapshot).toMatchObject({ recycled: 0, deaths: 0, runningItems: 1 });
});

test('while starts are held, what children have is finished and nothing else is given to them', () => {
  const m = withChildren(1);
  m.queue(1, 3);
  m.queue(2, 3);
  expect(m.step({ type: 'startsHeld', held: true })).toEqual([]);
  expect(m.runs(1, 1, 0, 3)).toEqual([finished(1)]);
  expect(m.queue(3, 3)).toEqual([]);
  expect(m.step({ type: 'startsHeld', held: false })).toEqual([run(1, 2, 0, 3)]);
});

test('what waits while starts are held can be aborted, and terminated', () => {
  const m = withChildren(1);
  m.step({ type: 'startsHeld', held: true });
  m.queue(1, 3);
  m.queue(2, 3);
  expect(m.step({ type: 'abortRequested', chunk: 1, graceMs: 0 })).toEqual([aborted(1)]);
  expect(m.step({ type: 'terminateRequested' })).toEqual([aborted(2), kill(1)]);
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

test('an aborted chunk wants no tick for an item that would have run too long', () => {
  const t = new TestMachine(1);
  t.queue(1, 1, { marksStarts: true, timeoutMs: 100 });
  t.ready(1);
  t.began(1, 1);
  t.starts(1, 1, 0);
  t.step({ type: 'abortRequested', chunk: 1, graceMs: 2_000 });
  t.after(150);
  expect(t.machine.nextDeadlineMs()).toBe(2_000);
});

test('a child that was killed wants no tick, whatever it still says', () => {
  const t = new TestMachine(1);
  t.queue(1, 1, { concurrentTasks: 2 });
  t.queue(2, 1, { concurrentTasks: 2 });
  t.ready(1);
  t.began(1, 1);
  t.step({ type: 'abortRequested', chunk: 1, graceMs: 0 });
  t.step({ type: 'abortRequested', chunk: 2, graceMs: 0 });
  expect(t.after(1)).toEqual([kill(1)]);
  // It is on its way into the next part when the kill reaches it.
  t.began(1, 2);
  expect(t.machine.nextDeadlineMs()).toBeUndefined();
});

test('G8: no item is said to have run too long while nobody reads what its child says', () => {
  const t = new TestMachine(1);
  t.queue(1, 1, { marksStarts: true, timeoutMs: 1_000 });
  t.ready(1);
  t.began(1, 1);
  t.starts(1, 1, 0);
  t.after(900);
  t.step({ type: 'newsHeld', held: true });
  expect(t.machine.nextDeadlineMs()).toBeUndefined();
  expect(t.after(5_000)).toEqual([]);
  t.step({ type: 'newsHeld', held: false });
  expect(t.succeeded(1, 1, 0)).toEqual([{ type: 'acceptValues', chunk: 1 }]);
});

test('G8: once it is read again what a child says, an item has what was left of its time, and the time to be heard', () => {
  const t = new TestMachine(1, { timeoutGraceMs: 100 });
  t.queue(1, 1, { marksStarts: true, timeoutMs: 1_000 });
  t.ready(1);
  t.began(1, 1);
  t.starts(1, 1, 0);
  t.after(300);
  t.step({ type: 'newsHeld', held: true });
  t.after(5_000);
  t.step({ type: 'newsHeld', held: false });
  expect(t.machine.nextDeadlineMs()).toBe(6_000);
  t.after(650);
  t.step({ type: 'newsHeld', held: true });
  t.after(5_000);
  t.step({ type: 'newsHeld', held: false });
  expect(t.machine.nextDeadlineMs()).toBe(11_050);
  expect(t.after(100)).toEqual([{ type: 'abortPart', child: 1, chunk: 1, reason: 'timedOut', index: 0 }]);
});

test('no initializer is said to hang while nobody reads what its child says', () => {
  const t = new TestMachine(1, { initializerMs: 1_000 });
  t.queue(1, 1);
  t.step({ type: 'childStarted', child: 1 });
  t.step({ type: 'newsHeld', held: true });
  expect(t.after(5_000)).toEqual([]);
  t.step({ type: 'newsHeld', held: false });
  expect(t.machine.nextDeadlineMs()).toBe(6_000);
});

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
