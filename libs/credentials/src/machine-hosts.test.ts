import { expect, test } from 'vitest';
import { isHost, machineHosts } from './machine-hosts.ts';

test.each([
  ...['localhost', 'one', 'one.example', '*.example', 'ab-1.c2', '0123456789ab', '123456789012'],
  ...['10.0.0.5', '::1', 'fd00::2', 'FD00:0:0:0:0:0:0:2', '::ffff:10.0.0.5', `${'a'.repeat(63)}.b`],
])('%s is a host', (text) => {
  expect(isHost(text)).toBe(true);
});

test.each([
  ...['10.0.0.5:7300', 'one:7300', '[::1]', '[::1]:7300', '::::', '1:2', 'a::b::c', 'fe80::1%eth0', 'ab:cd'],
  ...['1.2.3.999', '1.2.3', 'a..b', '.a', 'a.', 'a.-b', 'a-.b', '-a', '*', 'a.*', 'https://x', 'a b', ''],
  ...[`${'a'.repeat(64)}.b`, 'a.'.repeat(127) + 'a'.repeat(60)],
])('%s is none', (text) => {
  expect(isHost(text)).toBe(false);
});

test('this machine has names and addresses', () => {
  expect(machineHosts()).toEqual(expect.arrayContaining(['localhost', '127.0.0.1', '::1']));
});
