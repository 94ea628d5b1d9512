import { expect, test } from 'vitest';
import { AttemptMemory } from './attempt-memory.ts';

test('an attempt comes for the first time once', () => {
  const memory = new AttemptMemory(10);
  expect([memory.dispatched(4), memory.dispatched(4), memory.dispatched(5)]).toEqual([
    'first',
    'again',
    'first',
  ]);
});

test('one that was taken back before it came is known for that, once', () => {
  const memory = new AttemptMemory(10);
  memory.revoked(4);
  expect([memory.dispatched(4), memory.dispatched(4)]).toEqual(['revoked', 'again']);
});

test('one that is over is not waited for when it is taken back', () => {
  const memory = new AttemptMemory(10);
  memory.dispatched(4);
  memory.revoked(4);
  expect(memory.size).toEqual({ dispatched: 1, revokedAhead: 0 });
});

test('reordered attempts are told apart', () => {
  const memory = new AttemptMemory(10);
  expect([5, 3, 4, 3].map((attempt) => memory.dispatched(attempt))).toEqual([
    'first',
    'first',
    'first',
    'again',
  ]);
});

test('one that is taken back twice is remembered once', () => {
  const memory = new AttemptMemory(2);
  for (const attempt of [4, 4, 4, 5]) memory.revoked(attempt);
  expect([memory.size.revokedAhead, memory.dispatched(4)]).toEqual([2, 'revoked']);
});

test('memory is bounded, and what is forgotten counts as seen', () => {
  const memory = new AttemptMemory(100);
  for (let attempt = 1; attempt <= 5_000; attempt += 1) memory.dispatched(attempt);
  for (let attempt = 10_001; attempt <= 15_000; attempt += 1) memory.revoked(attempt);
  expect(memory.size).toEqual({ dispatched: 100, revokedAhead: 100 });
  expect([memory.dispatched(1), memory.dispatched(4_950)]).toEqual(['again', 'again']);
});

test('a new epoch counts anew', () => {
  const memory = new AttemptMemory(2);
  for (const attempt of [1, 2, 3]) memory.dispatched(attempt);
  memory.revoked(4);
  memory.epochBegan();
  expect([1, 3, 4].map((attempt) => memory.dispatched(attempt))).toEqual(['first', 'first', 'first']);
});
