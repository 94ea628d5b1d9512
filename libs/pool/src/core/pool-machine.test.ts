import { expect, test } from 'vitest';
import {
  aborted,
  finished,
  kill,
  range,
  retire,
  run,
  spawn,
  TestMachine,
  withChildren,
} from './pool-machine.testkit.ts';

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

test('an abort of a chunk that waits ends it at once', () => {
  const m = new TestMachine(1);
  m.queue(1, 1);
  expect(m.step({ type: 'abortRequested', chunk: 1, graceMs: 100 })).toEqual([aborted(1)]);
});

test('a child that is too big gives the rest of its part back and leaves', () => {
  const m = withChildren(1);
  m.queue(1, 4);
  m.began(1, 1);
  m.succeeded(1, 1, 0);
  expect(m.ended(1, 1, 1, true)).toEqual([retire(1), spawn(2, 1)]);
  expect(m.ready(2)).toEqual([run(2, 1, 1, 3)]);
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
