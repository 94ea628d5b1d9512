import { expect, test } from 'vitest';
import { fullNotice, wordsOfNotice } from './full-notice.ts';

test('whoever finds no place is told which limit it was, and the option that changes it', () => {
  expect(wordsOfNotice(fullNotice('connections', 10_000))).toBe(
    'it has as many connections as it takes: 10,000 (shoal coordinator --max-connections)',
  );
  expect(wordsOfNotice(fullNotice('connectionsPerPeer', 4))).toBe(
    'it has as many connections from one address as it takes: 4 (shoal coordinator --max-connections-per-peer)',
  );
});

test.each([
  ['HTTP/1.1 400 Bad Request'],
  ['LIMIT_REACHED firstByteMs 4\n'],
  ['LIMIT_REACHED __proto__ 4\n'],
  ['LIMIT_REACHED connections 4 and more\n'],
  [''],
])('what somebody else says is no such notice: %j', (text) => {
  expect(wordsOfNotice(text)).toBeUndefined();
});
