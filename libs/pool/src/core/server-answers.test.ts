import { expect, test } from 'vitest';
import { answerMs, ServerAnswers } from './server-answers.ts';

test('a server that leaves an order unanswered for 10 s is stuck', () => {
  const answers = new ServerAnswers();
  expect(answers.nextDeadlineMs()).toBeUndefined();
  answers.ordered(100);
  expect(answers.nextDeadlineMs()).toBe(100 + answerMs);
  expect(answers.passed(99 + answerMs)).toBeUndefined();
  expect(answers.passed(100 + answerMs)).toBe('stuck');
});

test('a server with many orders has as long for each of them, from its last word on', () => {
  const answers = new ServerAnswers();
  for (let order = 0; order < 3; order++) answers.ordered(0);
  answers.answered(9_000);
  expect(answers.passed(18_999)).toBeUndefined();
  answers.ended(7, 18_000);
  expect(answers.passed(19_000)).toBeUndefined();
  expect(answers.passed(28_000)).toBe('stuck');
});

test('a server whose child was killed is asked at once, and is stuck where it does not answer', () => {
  const answers = new ServerAnswers();
  expect(answers.killed(7, 50)).toBe(true);
  answers.ordered(50);
  // One question is enough for all.
  expect(answers.killed(8, 60)).toBe(false);
  expect(answers.passed(50 + answerMs)).toBe('stuck');
});

test('a server that answers is not stuck, however long its child takes to die: it is asked again', () => {
  const answers = new ServerAnswers();
  answers.killed(7, 0);
  answers.ordered(0);
  answers.answered(1);
  for (let atMs = answerMs; atMs <= 5 * answerMs; atMs += answerMs) {
    expect(answers.nextDeadlineMs()).toBe(atMs);
    expect(answers.passed(atMs)).toBe('ask');
    answers.ordered(atMs);
    answers.answered(atMs + 1);
  }
  answers.ended(7, 6 * answerMs);
  expect(answers.nextDeadlineMs()).toBeUndefined();
});
