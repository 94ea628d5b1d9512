import type { Print } from '@shoal/protocol';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { StrayPrints } from './stray-prints.ts';

const print = (text: string): Print => ({ stream: 1, agent: '', pid: 7, index: undefined, task: '', text });

function straysWithLog(): { strays: StrayPrints; logged: string[] } {
  const logged: string[] = [];
  const log = pino({ base: null }, { write: (line: string) => void logged.push(JSON.parse(line).msg) });
  return { strays: new StrayPrints(log), logged };
}

test('what is printed between jobs is logged, and kept for the next job of that group alone', () => {
  const { strays, logged } = straysWithLog();
  strays.add('a', print('late'));
  strays.add('b', print('of another client'));
  expect(strays.take('a').map(({ text }) => text)).toEqual(['late']);
  expect(strays.take('a')).toEqual([]);
  expect(logged).toEqual(['late', 'of another client']);
});

test('a child that prints for ever costs 16 KiB, and the rest is counted', () => {
  const { strays, logged } = straysWithLog();
  for (let at = 0; at < 20; at += 1) strays.add('a', print('x'.repeat(1024)));
  const prints = strays.take('a');
  expect(prints).toHaveLength(17);
  expect(prints.at(-1)).toMatchObject({
    pid: process.pid,
    text: '… 4,096 more bytes that were printed since the last job were dropped: an agent keeps 16 KiB',
  });
  expect(logged).toHaveLength(16);
});

test('clients that never come back cost a bounded number of groups', () => {
  const { strays } = straysWithLog();
  for (let at = 0; at < 150; at += 1) strays.add(`group ${at}`, print('late'));
  expect(strays.take('group 0')).toEqual([]);
  expect(strays.take('group 149')).toHaveLength(1);
});
