import { expect, test } from 'vitest';
import {
  aborted,
  exitOf,
  finished,
  range,
  run,
  spawn,
  TestMachine,
  withChildren,
} from './pool-machine.testkit.ts';

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
