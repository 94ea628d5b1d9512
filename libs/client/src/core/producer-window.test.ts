import { expect, test } from 'vitest';
import { opened, run } from './client-world.testkit.ts';

test('an outcome confirms its block and those before it', () => {
  const world = opened([
    [0, 10],
    [10, 10],
    [20, 10],
  ]);
  expect(world.batch(1, 0, run(0, 12))).toEqual([
    { type: 'deliver', at: 0 },
    { type: 'releaseBlocks', before: 20 },
  ]);
  expect(world.machine.snapshot()).toMatchObject({ position: 12, unconfirmedBlocks: 1 });
});

test('a writer that breaks asks where to go on, and sends again what was not accepted', () => {
  const world = opened([
    [0, 10],
    [10, 10],
    [20, 10],
  ]);
  world.do({ type: 'inputEnded' });
  expect(world.fails(2)).toEqual([]);
  expect(world.wait()).toEqual([{ type: 'askInput', call: 3 }]);
  expect(world.do({ type: 'inputTold', call: 3, acceptedItems: 10, inputEnded: false })).toEqual([
    { type: 'releaseBlocks', before: 10 },
    { type: 'openWriter', call: 4, firstIndex: 10 },
    { type: 'sendBlock', call: 4, first: 10 },
    { type: 'sendBlock', call: 4, first: 20 },
    { type: 'sendInputEnd', call: 4, totalItems: 30 },
  ]);
});

test('blocks that are pushed while it asks come after those that are sent again', () => {
  const world = opened([[0, 10]]);
  world.fails(2);
  expect(world.push(10, 5)).toEqual([]);
  world.wait();
  expect(world.push(15, 5)).toEqual([]);
  const told = world.do({ type: 'inputTold', call: 3, acceptedItems: 0, inputEnded: false });
  expect(told.filter(({ type }) => type === 'sendBlock')).toEqual(
    [0, 10, 15].map((first) => ({ type: 'sendBlock', call: 4, first })),
  );
});

test('a writer that is out of step goes on where it is told to', () => {
  const world = opened([
    [0, 10],
    [10, 10],
  ]);
  expect(world.fails(2, { kind: 'outOfStep', next: 10 })).toEqual([
    { type: 'releaseBlocks', before: 10 },
    { type: 'openWriter', call: 3, firstIndex: 10 },
    { type: 'sendBlock', call: 3, first: 10 },
  ]);
});

test('an item that the coordinator had and has no more is never left out silently', () => {
  const world = opened([
    [0, 10],
    [10, 10],
  ]);
  world.batch(1, 0, run(0, 15));
  world.fails(2);
  world.wait();
  expect(world.do({ type: 'inputTold', call: 3, acceptedItems: 10, inputEnded: false })).toEqual([]);
  expect(world.wait()).toContainEqual({ type: 'giveUp', call: 3, why: 'outOfStep' });
});

test('where to go on is asked again when an outcome has come that the answer does not know of', () => {
  const world = opened([
    [0, 10],
    [10, 10],
  ]);
  world.fails(2);
  world.wait();
  // Sent before the break, read by the coordinator after it had answered.
  world.batch(1, 0, run(0, 5));
  expect(world.do({ type: 'inputTold', call: 3, acceptedItems: 0, inputEnded: false })).toEqual([]);
  expect(world.wait()).toContainEqual({ type: 'askInput', call: 4 });
  expect(world.do({ type: 'inputTold', call: 4, acceptedItems: 10, inputEnded: false })).toContainEqual({
    type: 'openWriter',
    call: 5,
    firstIndex: 10,
  });
});

test('an end of input whose answer was lost need not be said again', () => {
  const world = opened([[0, 10]]);
  world.do({ type: 'inputEnded' });
  world.fails(2);
  world.wait();
  expect(world.do({ type: 'inputTold', call: 3, acceptedItems: 10, inputEnded: true })).toEqual([
    { type: 'releaseBlocks', before: 10 },
  ]);
  expect(world.machine.nextDeadlineMs()).toBeUndefined();
});

test('a writer that is refused waits for what the reader has to say about it', () => {
  const world = opened([[0, 10]]);
  expect(world.fails(2, { kind: 'final' })).toEqual([]);
  expect(world.do({ type: 'endReceived', call: 1 })).toContainEqual({ type: 'finish' });
  const silent = opened([[0, 10]]);
  silent.fails(2, { kind: 'final' });
  expect(silent.push(10, 10)).toEqual([]);
  expect(silent.wait()).toEqual([
    { type: 'dropCall', call: 1 },
    { type: 'giveUp', call: 2, why: 'refused' },
  ]);
  expect(silent.nowMs).toBe(2_000);
});
