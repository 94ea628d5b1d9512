import { expect, test } from 'vitest';
import { ClientWorld, opened, run } from './client-world.testkit.ts';

test('a job is read from its beginning, and written once there is something to write', () => {
  const world = new ClientWorld();
  expect(world.do({ type: 'jobOpened' })).toEqual([{ type: 'openReader', call: 1, fromPosition: 0 }]);
  expect(world.push(0, 10)).toEqual([
    { type: 'openWriter', call: 2, firstIndex: 0 },
    { type: 'sendBlock', call: 2, first: 0 },
  ]);
  expect(world.push(10, 5)).toEqual([{ type: 'sendBlock', call: 2, first: 10 }]);
  expect(world.do({ type: 'inputEnded' })).toEqual([{ type: 'sendInputEnd', call: 2, totalItems: 15 }]);
});

test('a job without items says so', () => {
  const world = new ClientWorld();
  world.do({ type: 'inputEnded' });
  expect(world.do({ type: 'jobOpened' })).toEqual([
    { type: 'openReader', call: 1, fromPosition: 0 },
    { type: 'openWriter', call: 2, firstIndex: 0 },
    { type: 'sendInputEnd', call: 2, totalItems: 0 },
  ]);
});

test('the end of the job acknowledges everything that is here and closes what is open', () => {
  const world = opened([[0, 10]]);
  world.batch(1, 0, run(0, 10));
  expect(world.do({ type: 'endReceived', call: 1 })).toEqual([
    { type: 'acknowledge', call: 3, position: 10 },
    { type: 'dropCall', call: 1 },
    { type: 'dropCall', call: 2 },
    { type: 'finish' },
  ]);
  expect(world.push(10, 1)).toEqual([]);
});

test('nothing is done for a job that was left', () => {
  const world = opened([[0, 10]]);
  expect(world.do({ type: 'jobLeft' })).toEqual([
    { type: 'dropCall', call: 1 },
    { type: 'dropCall', call: 2 },
  ]);
  expect(world.fails(1)).toEqual([]);
  expect(world.machine.nextDeadlineMs()).toBeUndefined();
});
