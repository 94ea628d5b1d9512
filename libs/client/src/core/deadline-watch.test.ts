import { expect, test } from 'vitest';
import { type ClientWorld, opened, run } from './client-world.testkit.ts';

const deadlineAtMs = 5_000;
const pastDeadline = { type: 'giveUp', call: 1, why: 'pastDeadline' };

/** Until the machine has nothing due at `atMs` any more. */
function waitUntil(world: ClientWorld, atMs: number): void {
  while (world.nowMs < atMs) world.wait(atMs - world.nowMs);
}

test('G26: a job whose coordinator is silent ends half a second after its deadline', () => {
  const world = opened([], { deadlineAtMs });
  expect(world.wait()).toEqual([]);
  expect(world.nowMs).toBe(deadlineAtMs);
  expect(world.wait()).toEqual([{ type: 'dropCall', call: 1 }, pastDeadline]);
  expect(world.nowMs).toBe(deadlineAtMs + 500);
  expect(world.machine.nextDeadlineMs()).toBeUndefined();
});

test('G26: a job whose connection is broken ends at its deadline, however long it may be broken', () => {
  const world = opened([], { deadlineAtMs, reconnectTimeoutMs: 1_000_000 });
  let commands = world.fails(1);
  for (let call = 2; call < 100 && !world.machine.snapshot().isOver; call++) {
    commands = world.wait();
    world.fails(call);
  }
  expect(commands).toContainEqual({ ...pastDeadline, call: expect.any(Number) });
  expect(world.nowMs).toBe(deadlineAtMs);
});

test('G26: a connection that breaks just before the deadline has half a second to come back, and the last word with it', () => {
  const world = opened([], { deadlineAtMs });
  world.nowMs = deadlineAtMs - 50;
  world.fails(1);
  let commands: unknown[] = [];
  for (let call = 2; call < 100 && !world.machine.snapshot().isOver; call++) {
    commands = world.wait();
    world.fails(call);
  }
  expect(commands).toContainEqual({ ...pastDeadline, call: expect.any(Number) });
  expect(world.nowMs).toBe(deadlineAtMs + 450);
});

test('G26: a connection that is back for one call before the deadline has half a second from there for the last word', () => {
  const world = opened([[0, 10]], { deadlineAtMs });
  world.nowMs = deadlineAtMs - 450;
  world.fails(1);
  world.fails(2);
  let call: number | undefined;
  while (call === undefined) call = world.wait().find((command) => command.type === 'askInput')?.call;
  const heardAtMs = Math.max(world.nowMs, deadlineAtMs - 100);
  waitUntil(world, heardAtMs);
  world.do({ type: 'inputTold', call, acceptedItems: 10, inputEnded: false });
  while (!world.machine.snapshot().isOver) world.wait();
  expect(world.nowMs).toBe(heardAtMs + 500);
});

test('G26: the coordinator that is back within that time says how the job ended', () => {
  const world = opened([], { deadlineAtMs });
  world.nowMs = deadlineAtMs - 50;
  world.fails(1);
  let again: unknown[] = [];
  while (!again.some((command) => (command as { type: string }).type === 'openReader')) again = world.wait();
  waitUntil(world, deadlineAtMs + 400);
  expect(world.do({ type: 'endReceived', call: 2 })).toContainEqual({ type: 'finish' });
});

test('G26: a connection that breaks after the deadline puts it off no further', () => {
  const world = opened([], { deadlineAtMs });
  waitUntil(world, deadlineAtMs + 300);
  for (let call = 1; call < 100 && !world.machine.snapshot().isOver; call++) {
    world.fails(call);
    world.wait();
  }
  expect(world.nowMs).toBe(deadlineAtMs + 500);
});

test('G26: whatever the coordinator says after the deadline leaves the judgement to it', () => {
  const world = opened([[0, 10]], { deadlineAtMs });
  world.do({ type: 'inputEnded' });
  waitUntil(world, deadlineAtMs + 400);
  world.do({ type: 'messageReceived', call: 1 });
  waitUntil(world, deadlineAtMs + 800);
  world.batch(1, 0, run(0, 10));
  waitUntil(world, deadlineAtMs + 1_200);
  world.do({ type: 'itemsAnswered', call: 2 });
  waitUntil(world, deadlineAtMs + 1_600);
  expect(world.do({ type: 'endReceived', call: 1 })).toContainEqual({ type: 'finish' });
});

test('G26: a coordinator that falls silent after the deadline is waited for no longer than one that was silent before', () => {
  const world = opened([], { deadlineAtMs });
  waitUntil(world, deadlineAtMs + 400);
  world.do({ type: 'messageReceived', call: 1 });
  expect(world.wait()).toContainEqual(pastDeadline);
  expect(world.nowMs).toBe(deadlineAtMs + 900);
});

test('G26: a client that stood still while its deadline passed listens before it judges', () => {
  const world = opened([], { deadlineAtMs });
  world.nowMs = deadlineAtMs + 3_000;
  expect(world.do({ type: 'clockTicked' })).toEqual([]);
  expect(world.do({ type: 'endReceived', call: 1 })).toContainEqual({ type: 'finish' });
});

test('what is heard before the deadline does not put it off', () => {
  const world = opened([], { deadlineAtMs });
  world.nowMs = deadlineAtMs - 1;
  world.do({ type: 'messageReceived', call: 1 });
  expect(world.machine.nextDeadlineMs()).toBe(deadlineAtMs);
});

test('a job without a deadline waits for its coordinator', () => {
  const world = opened();
  expect(world.machine.nextDeadlineMs()).toBeUndefined();
});
