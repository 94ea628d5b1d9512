import { expect, test } from 'vitest';
import { finished, kill, range, run, spawn, TestMachine, withChildren } from './pool-machine.testkit.ts';

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
