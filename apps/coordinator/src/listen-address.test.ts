import { expect, test } from 'vitest';
import { dialledAddress, formatAddress, isLoopback, parseListenAddress } from './listen-address.ts';

test('an address is a host and a port', () => {
  expect(parseListenAddress('127.0.0.1:7300')).toEqual({ host: '127.0.0.1', port: 7300 });
  expect(parseListenAddress('[::1]:0')).toEqual({ host: '::1', port: 0 });
  expect(formatAddress({ host: '::1', port: 80 })).toBe('[::1]:80');
  expect(formatAddress({ host: 'localhost', port: 80 })).toBe('localhost:80');
});

test.each(['', '7300', 'localhost', 'localhost:', 'localhost:65536', '::1:7300', 'a b:c'])(
  '"%s" is no address',
  (text) => {
    expect(() => parseListenAddress(text)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  },
);

test('only this machine reaches loopback', () => {
  expect(['127.0.0.1', '127.8.9.1', '::1', 'localhost'].map(isLoopback)).toEqual([true, true, true, true]);
  expect(['0.0.0.0', '::', '10.0.0.5', 'example.org', '127.0.0.1.example.org'].map(isLoopback)).toEqual([
    false,
    false,
    false,
    false,
    false,
  ]);
});

test('a coordinator that listens on every address leaves the name of its machine to whoever dials it', () => {
  for (const host of ['0.0.0.0', '::', '0:0:0:0:0:0:0:0'])
    expect(dialledAddress({ host, port: 7300 })).toBe('HOST:7300');
  expect(dialledAddress({ host: '10.0.0.7', port: 7300 })).toBe('10.0.0.7:7300');
  expect(dialledAddress({ host: '::1', port: 7300 })).toBe('[::1]:7300');
});
