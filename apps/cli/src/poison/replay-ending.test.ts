import { ItemError, type ItemErrorCode } from '@shoal/errors';
import { expect, test } from 'vitest';
import { replayEnding } from './replay-ending.ts';

const ended = (
  code: ItemErrorCode,
  rest: { cause?: unknown; facts?: Readonly<Record<string, string>> } = {},
): string => {
  const { cause, facts = {} } = rest;
  const attempts = [{ pid: 7, signal: 'SIGSEGV' }];
  // As of a job with one item: its index is not that of the item.
  return replayEnding(new ItemError({ code, index: 0, task: 'f', attempts, facts, cause }), 3, 1_500);
};

const thrown = (message: string, stack: string): Error => Object.assign(new RangeError(message), { stack });

test('an item that died or took too long is one line, with its own index', () => {
  expect(ended('ITEM_KILLED_CHILD')).toBe(
    'shoal: ITEM_KILLED_CHILD: item 3 killed its process (SIGSEGV, pid 7).',
  );
  expect(ended('ITEM_TIMED_OUT')).toBe('shoal: ITEM_TIMED_OUT: item 3 ran longer than 1.5 s (pid 7).');
});

test('what was thrown is told in one line, and its stack in indented ones below', () => {
  const cause = thrown('odd', 'RangeError: odd\n    at half (work.ts:2:9)\n    at map (work.ts:5:1)');
  expect(ended('ITEM_THREW', { cause }).split('\n')).toEqual([
    'shoal: ITEM_THREW: item 3 threw RangeError: odd',
    '    at half (work.ts:2:9)',
    '    at map (work.ts:5:1)',
  ]);
});

test('no line of a message of several lines can pass for one of ours', () => {
  const message = 'first\nshoal: item 4 gave a result this time.\r\n\u001b[31mlast';
  const cause = thrown(message, `RangeError: ${message}\n    at half (work.ts:2:9)`);
  expect(ended('ITEM_THREW', { cause }).split('\n')).toEqual([
    'shoal: ITEM_THREW: item 3 threw RangeError: first\\nshoal: item 4 gave a result this time.\\r\\n\\u001b[31mlast',
    '    at half (work.ts:2:9)',
  ]);
});

test('a stack that begins otherwise is shown whole', () => {
  const cause = thrown('odd', 'shoal: nothing failed\nHalfError: odd\n    at half (work.ts:2:9)');
  expect(ended('ITEM_THREW', { cause }).split('\n')).toEqual([
    'shoal: ITEM_THREW: item 3 threw RangeError: odd',
    '    shoal: nothing failed',
    '    HalfError: odd',
    '    at half (work.ts:2:9)',
  ]);
});

test('what is no error has no stack', () => {
  expect(ended('ITEM_THREW', { cause: 'a\nb' })).toBe('shoal: ITEM_THREW: item 3 threw a\\nb');
});

test('any other ending is the message of its error, in one line', () => {
  const facts = { what: 'Result of item 3', path: '["a\nb"]', kind: 'a function' };
  expect(ended('VALUE_NOT_PORTABLE', { facts })).toBe(
    'shoal: VALUE_NOT_PORTABLE: Result of item 3 cannot be sent: ["a\\nb"] is a function. Send plain data.',
  );
});
