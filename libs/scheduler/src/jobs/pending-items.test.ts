import { expect, test } from 'vitest';
import { spotless } from '../attempts/blame.ts';
import { PendingItems } from './pending-items.ts';

const tried = { ...spotless, attempts: [{}] };
const piece = (first: number, count: number, history = spotless) => ({
  first,
  count,
  history,
  elsewhereUntilMs: 0,
});

function pendingAfter(taken: number): PendingItems {
  const pending = new PendingItems();
  pending.append(100);
  pending.take(taken);
  return pending;
}

test('fresh items are taken in the order of the input', () => {
  const pending = pendingAfter(10);
  expect(pending.take(5)).toMatchObject({ first: 10, count: 5 });
  expect(pending.take(1_000)).toMatchObject({ first: 15, count: 85 });
  expect(pending.next()).toBeUndefined();
});

test('what came back goes first, lowest index first', () => {
  const pending = pendingAfter(50);
  pending.giveBack(piece(30, 2));
  pending.giveBack(piece(7, 2));
  expect([pending.take(5).first, pending.take(5).first, pending.take(5).first]).toEqual([7, 30, 50]);
});

test('pieces that touch and went through the same are one again', () => {
  const pending = pendingAfter(50);
  pending.giveBack(piece(12, 3));
  pending.giveBack(piece(10, 2));
  expect(pending.take(4)).toMatchObject({ first: 10, count: 4 });
  expect(pending.take(4)).toMatchObject({ first: 14, count: 1 });
});

test('pieces that went through different things stay apart', () => {
  const pending = pendingAfter(50);
  pending.giveBack(piece(10, 2));
  pending.giveBack(piece(12, 3, tried));
  expect(pending.take(9)).toMatchObject({ first: 10, count: 2 });
});

test('retries wait for their time, each for its own', () => {
  const pending = pendingAfter(100);
  pending.giveBackAt(piece(5, 1), 200);
  pending.giveBackAt(piece(3, 1), 100);
  expect([pending.ready, pending.waiting, pending.nextReadyMs]).toEqual([0, 2, 100]);
  pending.wake(150);
  expect([pending.ready, pending.waiting, pending.nextReadyMs]).toEqual([1, 1, 200]);
  expect(pending.take(9)).toMatchObject({ first: 3 });
});

test('suspects keep apart and leave one by one', () => {
  const pending = pendingAfter(100);
  pending.giveBack(piece(5, 2, { ...tried, alone: true }));
  expect(pending.next()).toBeUndefined();
  expect([pending.takeSuspect(), pending.takeSuspect()]).toMatchObject([
    { first: 5, count: 1 },
    { first: 6, count: 1 },
  ]);
  expect([pending.suspect(), pending.ready]).toEqual([undefined, 0]);
});
