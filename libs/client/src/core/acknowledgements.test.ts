import { expect, test } from 'vitest';
import { opened, run } from './client-world.testkit.ts';

test('outcomes are acknowledged at half the window, or after a moment', () => {
  const world = opened([], { windowItems: 10 });
  world.batch(1, 0, run(0, 10));
  expect(world.do({ type: 'outcomesTaken', position: 4 })).toEqual([]);
  expect(world.do({ type: 'outcomesTaken', position: 5 })).toEqual([
    { type: 'acknowledge', call: 2, position: 5 },
  ]);
  world.do({ type: 'acknowledgementAnswered', call: 2 });
  expect(world.do({ type: 'outcomesTaken', position: 6 })).toEqual([]);
  expect(world.wait()).toEqual([{ type: 'acknowledge', call: 3, position: 6 }]);
  expect(world.nowMs).toBe(50);
});

test('once the coordinator has the whole input, acknowledgements are in no hurry', () => {
  const world = opened([[0, 10]]);
  world.do({ type: 'inputEnded' });
  world.do({ type: 'itemsAnswered', call: 2 });
  world.batch(1, 0, run(0, 5));
  world.do({ type: 'outcomesTaken', position: 5 });
  expect(world.wait()).toEqual([{ type: 'acknowledge', call: 3, position: 5 }]);
  expect(world.nowMs).toBe(250);
});

test('where nobody sees an outcome before the last one, acknowledgements wait for others for a second', () => {
  const world = opened([[0, 10]], { isWatched: false });
  world.do({ type: 'inputEnded' });
  world.do({ type: 'itemsAnswered', call: 2 });
  world.batch(1, 0, run(0, 5));
  world.do({ type: 'outcomesTaken', position: 5 });
  expect(world.wait()).toEqual([{ type: 'acknowledge', call: 3, position: 5 }]);
  expect(world.nowMs).toBe(1_000);
});

test('after 64 messages with outcomes nothing waits any longer: what is large does not pile up', () => {
  const world = opened([[0, 100]], { isWatched: false });
  world.do({ type: 'inputEnded' });
  world.do({ type: 'itemsAnswered', call: 2 });
  // Outcomes that come in parts count when they are whole, but each part has its weight.
  for (let part = 1; part < 64; part += 1) world.batch(1, 0, run(0, 1, true));
  expect(world.do({ type: 'outcomesTaken', position: 0 })).toEqual([]);
  world.batch(1, 0, run(0, 1));
  const acknowledge = { type: 'acknowledge', call: 3, position: 1 };
  expect(world.do({ type: 'outcomesTaken', position: 1 })).toEqual([acknowledge]);
  world.do({ type: 'acknowledgementAnswered', call: 3 });
  world.batch(1, 1, run(1, 1));
  expect(world.do({ type: 'outcomesTaken', position: 2 })).toEqual([]);
});

test('however large the window is, no more than 32,768 outcomes are taken and not acknowledged', () => {
  const world = opened([[0, 200_000]], { windowItems: 200_000 });
  world.batch(1, 0, run(0, 40_000));
  expect(world.do({ type: 'outcomesTaken', position: 32_767 })).toEqual([]);
  expect(world.do({ type: 'outcomesTaken', position: 32_768 })).toEqual([
    { type: 'acknowledge', call: 3, position: 32_768 },
  ]);
});

test('where nobody sees an outcome before the last, their number does not matter once the whole input is in', () => {
  const world = opened([[0, 200_000]], { windowItems: 400_000, isWatched: false });
  world.batch(1, 0, run(0, 40_000));
  const acknowledge = { type: 'acknowledge', call: 3, position: 40_000 };
  expect(world.do({ type: 'outcomesTaken', position: 40_000 })).toEqual([acknowledge]);
  world.do({ type: 'acknowledgementAnswered', call: 3 });
  world.do({ type: 'itemsAnswered', call: 2 });
  world.batch(1, 40_000, run(40_000, 160_000));
  expect(world.do({ type: 'outcomesTaken', position: 200_000 })).toEqual([]);
  expect(world.wait()).toEqual([{ type: 'acknowledge', call: 4, position: 200_000 }]);
  expect(world.nowMs).toBe(1_000);
});

test('one acknowledgement is under way at a time; the next one has all that came meanwhile', () => {
  const world = opened([], { windowItems: 10 });
  world.do({ type: 'outcomesTaken', position: 5 });
  expect(world.do({ type: 'outcomesTaken', position: 10 })).toEqual([]);
  expect(world.do({ type: 'outcomesTaken', position: 20 })).toEqual([]);
  expect(world.do({ type: 'acknowledgementAnswered', call: 2 })).toEqual([
    { type: 'acknowledge', call: 3, position: 20 },
  ]);
});

test('an acknowledgement whose answer was lost is repeated', () => {
  const world = opened([], { windowItems: 10 });
  world.do({ type: 'outcomesTaken', position: 5 });
  world.fails(2);
  expect(world.do({ type: 'outcomesTaken', position: 7 })).toEqual([]);
  expect(world.wait()).toEqual([{ type: 'acknowledge', call: 3, position: 7 }]);
});

test('acknowledgements are repeated for as long as the job is read, however long they were lost', () => {
  const world = opened([], { windowItems: 10, reconnectTimeoutMs: 10_000 });
  world.do({ type: 'outcomesTaken', position: 5 });
  let call = 2;
  world.fails(call);
  while (world.nowMs < 60_000) {
    // The stream of outcomes is there all the time.
    world.do({ type: 'messageReceived', call: 1 });
    const commands = world.wait();
    if (commands.length === 0) break;
    call += 1;
    expect(commands).toEqual([{ type: 'acknowledge', call, position: 5 }]);
    world.fails(call);
  }
  expect(world.nowMs).toBeGreaterThanOrEqual(60_000);
  expect(world.wait()).toEqual([{ type: 'acknowledge', call: call + 1, position: 5 }]);
});

test('an acknowledgement that is refused is the last one', () => {
  const world = opened([], { windowItems: 10 });
  world.do({ type: 'outcomesTaken', position: 5 });
  world.fails(2, { kind: 'final' });
  expect(world.do({ type: 'outcomesTaken', position: 10 })).toEqual([]);
  expect(world.machine.nextDeadlineMs()).toBeUndefined();
});
