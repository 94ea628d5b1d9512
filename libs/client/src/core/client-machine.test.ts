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

test('a reader that breaks goes on after the outcomes that are here', () => {
  const world = opened();
  world.batch(1, 0, run(0, 3), { kind: 'failure', index: 3 });
  expect(world.fails(1)).toEqual([{ type: 'tellReached', isReached: false }]);
  expect(world.wait()).toEqual([{ type: 'openReader', call: 2, fromPosition: 4 }]);
  expect(world.do({ type: 'messageReceived', call: 2 })).toEqual([
    { type: 'tellReached', isReached: true },
    { type: 'passOn' },
  ]);
  expect(world.batch(2, 4, run(4, 1))).toEqual([{ type: 'deliver', at: 0 }]);
});

test('news of a stream that was given up is dropped', () => {
  const world = opened();
  world.fails(1);
  world.wait();
  expect(world.batch(1, 0, run(0, 3))).toEqual([]);
  expect(world.do({ type: 'messageReceived', call: 1 })).toEqual([]);
  expect(world.do({ type: 'endReceived', call: 1 })).toEqual([]);
  expect(world.fails(1)).toEqual([]);
});

test('a run that breaks off between its parts comes again from its first one, and once', () => {
  const world = opened();
  expect(world.batch(1, 0, run(0, 1), run(1, 4, true))).toEqual([
    { type: 'deliver', at: 0 },
    { type: 'keepPart', at: 1 },
  ]);
  expect(world.fails(1)).toEqual([{ type: 'dropParts' }, { type: 'tellReached', isReached: false }]);
  expect(world.wait()).toEqual([{ type: 'openReader', call: 2, fromPosition: 1 }]);
  expect(world.batch(2, 1, run(1, 4, true))).toContainEqual({ type: 'keepPart', at: 0 });
  expect(world.batch(2, 1, run(1, 4))).toEqual([{ type: 'deliver', at: 0 }]);
  expect(world.machine.snapshot().position).toBe(5);
});

test('a batch in the wrong place is not handed out: the stream is opened again', () => {
  const world = opened();
  expect(world.batch(1, 5, run(5, 1))).toEqual([
    { type: 'dropCall', call: 1 },
    { type: 'tellReached', isReached: false },
  ]);
  expect(world.wait()).toEqual([{ type: 'openReader', call: 2, fromPosition: 0 }]);
});

test('a failure in the middle of a run is not handed out', () => {
  const world = opened();
  world.batch(1, 0, run(0, 4, true));
  expect(world.batch(1, 0, { kind: 'failure', index: 0 })).toContainEqual({ type: 'dropParts' });
});

test('a coordinator that is away for longer than reconnectTimeoutMs ends the job', () => {
  const world = opened([], { reconnectTimeoutMs: 5_000 });
  let commands = world.fails(1);
  let call = 1;
  while (world.machine.nextDeadlineMs() !== undefined) {
    world.wait();
    call += 1;
    commands = world.fails(call);
  }
  expect(commands).toEqual([{ type: 'giveUp', call, why: 'outOfReach' }]);
  expect(world.nowMs).toBeGreaterThan(2_000);
  expect(world.nowMs).toBeLessThanOrEqual(5_000);
});

test('the time out of reach is counted anew after the coordinator was heard', () => {
  const world = opened([], { reconnectTimeoutMs: 5_000 });
  for (let call = 1; call <= 50; call += 1) {
    world.do({ type: 'messageReceived', call });
    expect(world.fails(call)).toEqual([{ type: 'tellReached', isReached: false }]);
    world.wait();
  }
  expect(world.machine.snapshot().isOver).toBe(false);
});

/** The longest and the mean of the waits before so many tries. */
function waitsOf(heard: boolean): { readonly longest: number; readonly mean: number } {
  const world = opened([], { reconnectTimeoutMs: 1_000_000 });
  const waits: number[] = [];
  for (let call = 1; call <= 200; call += 1) {
    if (heard) world.do({ type: 'messageReceived', call });
    world.fails(call);
    const before = world.nowMs;
    world.wait();
    waits.push(world.nowMs - before);
  }
  return { longest: Math.max(...waits), mean: waits.reduce((sum, ms) => sum + ms, 0) / waits.length };
}

test('a coordinator out of reach is asked every two seconds at most, at random times', () => {
  const { longest, mean } = waitsOf(false);
  expect(longest).toBeLessThanOrEqual(2_000);
  expect(mean).toBeGreaterThan(800);
  expect(mean).toBeLessThan(1_200);
});

test('a stream that only opens and breaks again is opened more slowly than at first, and soon', () => {
  const { longest, mean } = waitsOf(true);
  expect(longest).toBeLessThanOrEqual(400);
  expect(mean).toBeGreaterThan(150);
});

test('equal seeds wait equally long, other ones do not', () => {
  const waitOf = (seed: number): number => {
    const world = opened([], { seed });
    world.fails(1);
    return world.machine.nextDeadlineMs() ?? 0;
  };
  expect(waitOf(1)).toBe(waitOf(1));
  expect(waitOf(1)).not.toBe(waitOf(2));
});

test('a coordinator that has forgotten the job was restarted; one that never had it says what it says', () => {
  const world = opened();
  world.fails(1);
  world.wait();
  expect(world.fails(2, { kind: 'unknownJob' })).toEqual([{ type: 'giveUp', call: 2, why: 'restarted' }]);
  expect(opened().fails(1, { kind: 'unknownJob' })).toEqual([{ type: 'giveUp', call: 1, why: 'refused' }]);
});

test('a reader whose place was taken ends the job here', () => {
  expect(opened().fails(1, { kind: 'final' })).toEqual([{ type: 'giveUp', call: 1, why: 'refused' }]);
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

test('however large the window is, no more than 32,768 outcomes are taken and not acknowledged', () => {
  const world = opened([[0, 200_000]], { windowItems: 200_000 });
  world.batch(1, 0, run(0, 40_000));
  expect(world.do({ type: 'outcomesTaken', position: 32_767 })).toEqual([]);
  expect(world.do({ type: 'outcomesTaken', position: 32_768 })).toEqual([
    { type: 'acknowledge', call: 3, position: 32_768 },
  ]);
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
