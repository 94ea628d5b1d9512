import { PrintStream } from '@shoal/protocol';
import { expect, test } from 'vitest';
import { PrintShelf } from './print-shelf.ts';

const print = (text: string) => ({
  stream: PrintStream.STDOUT,
  agent: '',
  pid: 7,
  index: 0,
  task: 'f',
  text,
});
const texts = (shelf: PrintShelf): string[] =>
  shelf.take().flatMap(({ jobId, prints }) => prints.map(({ text }) => `${jobId} ${text}`));

test('prints are taken together, each job’s in their order, and announced once', () => {
  let announced = 0;
  const shelf = new PrintShelf(1_000, () => {
    announced += 1;
  });
  shelf.add('job-1', print('a'));
  shelf.add('job-2', print('b'));
  shelf.add('job-1', print('c'));
  expect([announced, texts(shelf)]).toEqual([1, ['job-1 a', 'job-1 c', 'job-2 b']]);
  shelf.add('job-1', print('d'));
  expect([announced, texts(shelf), texts(shelf)]).toEqual([2, ['job-1 d'], []]);
});

test('prints beyond the limit are dropped and counted', () => {
  const shelf = new PrintShelf(200, () => {});
  for (let at = 0; at < 5; at += 1) shelf.add('job-1', print('12345678'));
  expect(texts(shelf)).toEqual([
    'job-1 12345678',
    'job-1 12345678',
    'job-1 … 3 prints of 24 bytes were dropped: the connection is too slow for them',
  ]);
});
