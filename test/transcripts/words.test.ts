import { expect, test } from 'vitest';
import { itemsText, othersText, timeOf, timeText, Words } from './words.ts';

test('words come in their order, settings by their name', () => {
  const words = new Words('agentJoined a/2 slots=4 labels.gpu=1 labels.zone="rack 2" permanent');
  expect(words.take('what happens')).toBe('agentJoined');
  expect(words.flag('permanent')).toBe(true);
  expect(words.takeSession()).toEqual({ agent: 'a', session: 2 });
  expect(words.number('slots')).toBe(4);
  expect(words.number('resumes')).toBeUndefined();
  expect(words.group('labels')).toEqual({ gpu: '1', zone: 'rack 2' });
  expect(() => words.end()).not.toThrow();
});

test('attempts and their items are numbers and ranges', () => {
  expect(new Words('#1 #12').takeAttempts()).toEqual([1, 12]);
  expect(new Words('nothing').takeAttempts()).toEqual([]);
  expect(new Words('#3[4..6]').takeAttemptItems()).toEqual({ attempt: 3, first: 4, count: 3 });
  expect(new Words('suspects=[3..5],[8]').ranges('suspects')).toEqual([
    { first: 3, count: 3 },
    { first: 8, count: 1 },
  ]);
  expect([itemsText({ first: 4, count: 3 }), itemsText({ first: 8, count: 1 })]).toEqual(['[4..6]', '[8]']);
});

test.each([
  ['a', (words: Words) => words.takeSession(), 'a is not a session, such as a/1'],
  ['1', (words: Words) => words.takeAttempt(), '1 is not an attempt, such as #1'],
  ['', (words: Words) => words.takeAttempts(), 'attempts, such as #1 #2, or the word nothing are missing'],
  ['#1[5..4]', (words: Words) => words.takeAttemptItems(), '[5..4] ends before it begins'],
  ['slots=two', (words: Words) => words.number('slots'), 'slots=two is not a number'],
  ['slot=2', (words: Words) => words.end(), 'nobody knows what to do with "slot"'],
  ['orderley', (words: Words) => words.end(), 'nobody knows what to do with "orderley"'],
])('"%s" is refused where it does not belong', (line, read, reason) => {
  expect(() => read(new Words(line))).toThrow(reason);
});

test('times are written in seconds where they are whole ones', () => {
  expect(['250ms', '2s', '2.01s'].map(timeOf)).toEqual([250, 2_000, 2_010]);
  expect([250, 2_000, 1_500].map(timeText)).toEqual(['250ms', '2s', '1500ms']);
  expect(() => timeOf('2')).toThrow('2 is not a time, such as 250ms or 2s');
});

test('a field that a printer does not know shows by its name', () => {
  expect(othersText({ type: 'x', kept: 1, left: undefined, deep: { a: [1], b: { c: 2 } } }, 'type')).toBe(
    ' kept=1 deep.a=[1] deep.b.c=2',
  );
});
