import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Terminal } from '../terminal.ts';
import { plainLine, startProgress } from './progress.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a line says how far it is, what failed, how fast it goes and how long it will take', () => {
  expect(plainLine({ done: 1190, failed: 10, total: 10_000 }, 5)).toBe(
    '1,200 of 10,000 items (12 %), 10 failed, 240 a second, 37 s left',
  );
  expect(plainLine({ done: 5, failed: 0, total: undefined }, 2)).toBe('5 items, 3 a second');
  expect(plainLine({ done: 5, failed: 0, total: undefined, waitingFor: 'all slots busy' }, 5)).toBe(
    '5 items, 1 a second, waits: all slots busy',
  );
  expect(plainLine({ done: 1_000, failed: 0, total: 10_000, waitingFor: 'paused by its consumer' }, 60)).toBe(
    '1,000 of 10,000 items (10 %), 17 a second, waits: paused by its consumer',
  );
  expect(plainLine({ done: 0, failed: 0, total: 0 }, 0)).toBe('0 of 0 items (0 %), 0 a second');
});

test('where stderr is no terminal, one line comes every five seconds and none after the end', () => {
  const stderr = new PassThrough({ encoding: 'utf8' });
  const terminal = { stderr, env: {} } as unknown as Terminal;
  let nowMs = 0;
  const progress = startProgress(
    terminal,
    () => ({ done: 10, failed: 0, total: undefined }),
    false,
    () => nowMs,
  );
  nowMs = 5000;
  vi.advanceTimersByTime(4999);
  expect(stderr.read()).toBeNull();
  vi.advanceTimersByTime(1);
  expect(stderr.read()).toBe('10 items, 2 a second\n');
  progress.stop();
  vi.advanceTimersByTime(20_000);
  expect(stderr.read()).toBeNull();
});
