import { expect, test } from 'vitest';
import {
  address,
  addressOrOff,
  byteSize,
  duration,
  labels,
  wholeNumber,
  wholeNumberWithin,
} from './usage-error.ts';

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['1.5s', 1500],
  ['5m', 300_000],
  ['1h', 3_600_000],
])('%s are %d milliseconds', (text, ms) => {
  expect(duration(text)).toBe(ms);
});

test.each(['30', '0s', '-1s', 's', '1d', '1 s', ''])('"%s" is no time', (text) => {
  expect(() => duration(text)).toThrow('Give a time with its unit');
});

test.each(['0', '-1', '0.5', 'NaN', '', '1e3', '99999999999999999999'])(
  '"%s" is no count of processes',
  (text) => {
    expect(() => wholeNumber(1)(text)).toThrow('Give a whole number from 1 on.');
  },
);

test('a priority is a whole number, negative ones included', () => {
  expect(['-100', '0', '+7', '100'].map(wholeNumberWithin(-100, 100))).toEqual([-100, 0, 7, 100]);
  for (const text of ['-101', '101', '1.5', '', 'high']) {
    expect(() => wholeNumberWithin(-100, 100)(text)).toThrow('Give a whole number from -100 to 100.');
  }
});

test('labels are names with values', () => {
  expect(labels('gpu=a100')).toEqual({ gpu: 'a100' });
  expect(labels('gpu=a100, zone=north,rack/row=2')).toEqual({ gpu: 'a100', zone: 'north', 'rack/row': '2' });
  for (const text of ['', 'gpu', '=a100', 'gpu=a100,', 'gpu=1,gpu=2']) {
    expect(() => labels(text)).toThrow('Give labels as NAME=VALUE');
  }
});

test.each([
  ['__proto__=x', '"__proto__" is no name of a label'],
  ['gpu=a100,.x=1', '".x" is no name of a label'],
  ['gpu=', 'gpu is empty.'],
  ['gpu=a\u0007', 'gpu has a control character.'],
  [`gpu=${'x'.repeat(101)}`, 'gpu is longer than 100 characters.'],
  [Array.from({ length: 65 }, (_, at) => `label-${at}=x`).join(), 'Give at most 64 labels.'],
])('%j is refused as labels', (text, reason) => {
  expect(() => labels(text)).toThrow(reason);
});

test.each([
  ['1024', 1024],
  ['512KiB', 524_288],
  ['64MiB', 67_108_864],
  ['1GiB', 1_073_741_824],
])('%s are %d bytes', (text, bytes) => {
  expect(byteSize()(text)).toBe(bytes);
});

test.each(['', '1023', '2GiB', '-1KiB', '64MB', '1.5MiB'])('"%s" is no size of an item', (text) => {
  expect(() => byteSize()(text)).toThrow('Give bytes, from 1KiB to 1GiB');
});

test('a size may have to be bigger', () => {
  const memory = byteSize(2 ** 40, 2 ** 20);
  expect([memory('1MiB'), memory('1024GiB')]).toEqual([2 ** 20, 2 ** 40]);
  expect(() => memory('1023KiB')).toThrow('Give bytes, from 1MiB to 1024GiB, as');
  expect(() => byteSize(2 ** 16)('1')).toThrow('Give bytes, from 1KiB to 64KiB, as');
});

test.each(['127.0.0.1:7300', 'coordinator:0', '[::1]:65535'])('%s is an address', (text) => {
  expect(address(text)).toBe(text);
});

test.each(['7300', ':7300', 'host', 'host:', 'host:65536', 'http://host:1', '::1:7300'])(
  '%s is none',
  (text) => {
    expect(() => address(text)).toThrow('Give HOST:PORT');
  },
);

test('whoever gives an IPv6 address without its brackets is told of them', () => {
  expect(() => address('::1:7300')).toThrow('such as [::1]:7300: an IPv6 address in brackets.');
  expect(() => addressOrOff('fd00::2:8300')).toThrow(
    'such as [::1]:8300: an IPv6 address in brackets, or off.',
  );
  for (const text of ['host', 'http://host:1'])
    expect(() => address(text)).toThrow('such as 127.0.0.1:7300.');
});

test('what may be turned off is an address or off', () => {
  expect(['off', '127.0.0.1:8300'].map(addressOrOff)).toEqual(['off', '127.0.0.1:8300']);
  for (const text of ['', 'on', 'OFF', '8300']) expect(() => addressOrOff(text)).toThrow('or off');
});
