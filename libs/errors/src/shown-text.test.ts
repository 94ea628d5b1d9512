import { expect, test } from 'vitest';
import { ShoalError } from './shoal-error.ts';
import { quotedText, shownText } from './shown-text.ts';

test.each([
  ['\u001b[31mred\u001b[0m', '\\u001b[31mred\\u001b[0m'],
  ['bell\u0007 delete\u007f csi\u009b', 'bell\\u0007 delete\\u007f csi\\u009b'],
  ['over\rwritten', 'over\\u000dwritten'],
  ['turned\u202eround', 'turned\\u202eround'],
  ['two\nlines\r\nand a\ttab', 'two\nlines\r\nand a\ttab'],
  ['plain, ünïcödé, 👍', 'plain, ünïcödé, 👍'],
])('what a terminal would obey is shown in its place: %j', (text, shown) => {
  expect(shownText(text)).toBe(shown);
});

test('a value is quoted on one line, and cut where it is long', () => {
  expect(quotedText('a\nb"c\u001b\u009b')).toBe('"a\\nb\\"c\\u001b\\u009b"');
  expect(quotedText('x'.repeat(200), 5)).toBe('"xxxxx…"');
});

test('no message of an error carries what a terminal would obey, whoever wrote it', () => {
  const { facts, message } = new ShoalError('USAGE', { reason: 'name\u001b[2J', hint: '\u0007' });
  expect(message).toBe('name\\u001b[2J. \\u0007');
  expect(facts['reason']).toBe('name\u001b[2J');
});
