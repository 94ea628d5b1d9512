import { type Print, PrintStream } from '@shoal/protocol';
import { expect, test } from 'vitest';
import { triedLimit } from '../../../../test/limit-edges.ts';
import { PrintQueue } from './print-queue.ts';

const print = (text: string): Print => ({
  stream: PrintStream.STDOUT,
  agent: 'agent-1',
  pid: 7,
  index: 0,
  task: 'f',
  text,
});

const textsOf = (queue: PrintQueue): string[] =>
  queue.takeUpTo(Number.POSITIVE_INFINITY).map(({ text }) => text);

test('prints come in their order', () => {
  const queue = new PrintQueue(2 ** 20);
  for (const text of ['a', 'b', 'c']) queue.add(print(text));
  expect(queue.take()?.text).toBe('a');
  queue.add(print('d'));
  expect(textsOf(queue)).toEqual(['b', 'c', 'd']);
  expect(queue.take()).toBeUndefined();
});

test('two items that print all that they may lose nothing, however late they are read', () => {
  const queue = new PrintQueue(2 ** 20);
  const lines = Array.from({ length: 2_000 }, (_, at) => `${at}`.padEnd(64));
  for (const line of lines) queue.add(print(line));
  expect(textsOf(queue)).toEqual(lines);
});

test('what does not fit is counted where it is missing, by somebody who has a name', () => {
  const queue = new PrintQueue(300);
  for (let at = 0; at < 7; at += 1) queue.add(print(`${at}`.repeat(36)));
  expect(queue.take()?.text).toBe('0'.repeat(36));
  queue.add(print('later'));
  const rest = queue.takeUpTo(10_000);
  expect(rest.map(({ text }) => text)).toEqual([
    '1'.repeat(36),
    '2'.repeat(36),
    '… 4 prints of 144 bytes were dropped here: the client reads too slowly (shoal coordinator --max-print-bytes)',
    'later',
  ]);
  expect(rest[2]).toMatchObject({ agent: 'coordinator', pid: process.pid });
});

test('what was dropped last is counted, too', () => {
  const queue = new PrintQueue(100);
  queue.add(print('a'.repeat(500)));
  queue.add(print('b'));
  expect(textsOf(queue)).toEqual([
    'a'.repeat(500),
    '… 1 print of 1 byte was dropped here: the client reads too slowly (shoal coordinator --max-print-bytes)',
  ]);
});

test.each([299, 300, 301])('prints of %i of 300 bytes: what is beyond is dropped', (bytes) => {
  triedLimit('printBytes', bytes, 300);
  const queue = new PrintQueue(300);
  // What is told of a print counts as 64.
  queue.add(print('a'.repeat(100)));
  queue.add(print('b'.repeat(bytes - 164 - 64)));
  const [, second] = textsOf(queue);
  expect(second).toMatch(bytes <= 300 ? /^b+$/ : /^… 1 print of 73 bytes was dropped here/);
});
