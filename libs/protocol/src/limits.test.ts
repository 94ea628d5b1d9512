import { isErrorCode } from '@shoal/errors';
import { expect, test } from 'vitest';
import { clientOptions, serverOptions } from './channel-options.ts';
import { limits } from './limits.ts';
import { defaultServerLimits } from './server-limits.ts';

test('every limit is a positive whole number, says what it is for and names a real error', () => {
  for (const [name, limit] of Object.entries(limits)) {
    expect(Number.isSafeInteger(limit.default) && limit.default > 0, name).toBe(true);
    expect(limit.meaning, name).toMatch(/\.$/);
    if (limit.error !== undefined) expect(isErrorCode(limit.error), name).toBe(true);
  }
});

test('every limit has an option, or says why it is fixed; is told by an error, or says how; and shows somewhere', () => {
  for (const [name, { error, fixedBecause, metric, option, told, waiting }] of Object.entries(limits)) {
    expect([option, fixedBecause].filter(Boolean), name).toHaveLength(1);
    expect([error, told].filter(Boolean), name).toHaveLength(1);
    expect([metric, waiting].filter(Boolean).length, name).toBeGreaterThan(0);
  }
});

test('few limits have a reason in place of an option', () => {
  const fixed = Object.entries(limits).filter(([, { fixedBecause }]) => fixedBecause !== undefined);
  expect(fixed.map(([name]) => name)).toEqual([
    'bundleFiles',
    'hostBytes',
    'reportBytes',
    'listedProcesses',
    'nameChars',
  ]);
});

test('beyond each limit is an error; or its meaning says what happens without one', () => {
  const silent = Object.entries(limits).filter(([, { error }]) => error === undefined);
  const quiet = /waits?\b|closed|dropped|in parts|refused|sign of life|on the disk/;
  expect(silent.filter(([, { meaning }]) => !quiet.test(meaning)).map(([name]) => name)).toEqual([]);
});

test('a part with its envelope fits into a message, many times over', () => {
  expect(limits.partBytes.default * 4).toBeLessThan(limits.messageBytes.default);
});

test('a client may be sent a message of 64 KiB without a word in between, as a server may', () => {
  expect(clientOptions).toMatchObject({ 'grpc-node.flow_control_window': limits.streamWindowBytes.default });
});

test('G18: both sides of a connection ask for signs of life, calls or none', () => {
  for (const options of [serverOptions(defaultServerLimits), clientOptions]) {
    expect(options).toMatchObject({
      'grpc.keepalive_time_ms': 20_000,
      'grpc.keepalive_timeout_ms': 20_000,
      'grpc.keepalive_permit_without_calls': 1,
      'grpc.max_receive_message_length': 4 * 2 ** 20,
      'grpc-node.max_session_memory': 64,
    });
  }
});
