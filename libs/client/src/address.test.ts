import { expect, test } from 'vitest';
import { parseAddress } from './address.ts';

test('an address is a host and a port; the port may be left out', () => {
  expect(parseAddress('10.0.0.5:7400')).toEqual({
    host: '10.0.0.5',
    port: 7400,
    text: '10.0.0.5:7400',
    loopback: false,
  });
  expect(parseAddress('coordinator').text).toBe('coordinator:7300');
  expect(parseAddress('[::1]:7300')).toEqual({ host: '::1', port: 7300, text: '[::1]:7300', loopback: true });
});

test('only this machine counts as loopback', () => {
  const loopback = (address: string): boolean => parseAddress(address).loopback;
  expect(['127.0.0.1', '127.9.9.9:1', 'localhost', '[::1]'].map(loopback)).toEqual([true, true, true, true]);
  expect(['127.evil.example', '10.0.0.1', '[::2]', 'localhost.example'].map(loopback)).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

test('what is no address is refused, and shown', () => {
  for (const wrong of [
    '',
    'a:b',
    'host:0',
    'host:70000',
    'http://host:7300',
    ':7300',
    '::1',
    '[host]:1',
    'a b',
  ]) {
    expect(() => parseAddress(wrong)).toThrow(RangeError);
    expect(() => parseAddress(wrong)).toThrow(JSON.stringify(wrong));
  }
  expect(() => parseAddress(7300)).toThrow(TypeError);
});
