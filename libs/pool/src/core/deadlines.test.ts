import { expect, test } from 'vitest';
import { triedLimit } from '../../../../test/limit-edges.ts';
import {
  aborted,
  exitOf,
  kill,
  range,
  retire,
  run,
  spawn,
  TestMachine,
  withChildren,
} from './pool-machine.testkit.ts';

test('a child that has said its last words and does not end is killed, and blamed for what it ran', () => {
  const m = withChildren(1);
  m.queue(1, 2);
  m.began(1, 1);
  m.step({ type: 'childExiting', child: 1, running: [{ chunk: 1, index: 0 }] });
  expect(m.after(29_999)).toEqual([]);
  expect(m.after(1)).toEqual([{ type: 'killChild', child: 1 }]);
  expect(m.exits(1, undefined)[0]).toMatchObject({ ending: { suspects: [range(0)] } });
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

test('a child that gives in within the grace time is not killed later', () => {
  const m = withChildren(1);
  m.queue(1, 2);
  m.began(1, 1);
  m.step({ type: 'abortRequested', chunk: 1, graceMs: 100 });
  expect(m.ended(1, 1, 0)).toEqual([aborted(1)]);
  m.queue(2, 1);
  expect(m.after(1_000)).toEqual([]);
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

test('children that say nothing at all fail to start, one by one, and what waits for them ends', () => {
  const m = new TestMachine(1, { startMs: 1_000 });
  m.queue(1, 1);
  for (const child of [1, 2]) {
    expect(m.after(999)).toEqual([]);
    triedLimit('startMs', 999, 1_000);
    expect(m.after(1)).toEqual([kill(child)]);
    triedLimit('startMs', 1_000, 1_000);
    expect(m.after(1), 'it is killed once').toEqual([]);
    triedLimit('startMs', 1_001, 1_000);
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
