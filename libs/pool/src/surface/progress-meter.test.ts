import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { MapProgress } from '../options/options.ts';
import { ProgressMeter } from './progress-meter.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a callback is told at most every 100 ms, and at the end', () => {
  const told: MapProgress[] = [];
  vi.advanceTimersByTime(1_000);
  const meter = new ProgressMeter(
    (progress) => told.push(progress),
    () => 10,
  );
  meter.succeeded(1);
  vi.advanceTimersByTime(0);
  expect(told).toHaveLength(1);
  for (let item = 0; item < 5; item++) {
    meter.succeeded(1);
    vi.advanceTimersByTime(10);
  }
  expect(told).toHaveLength(1);
  vi.advanceTimersByTime(60);
  expect(told).toHaveLength(2);
  meter.failed();
  meter.backendSaid({ done: 6, failed: 1, running: 2, retried: 1, speculated: 0, speculationWins: 0 });
  meter.ended();
  vi.advanceTimersByTime(1_000);
  expect(told).toHaveLength(3);
  expect(told.at(-1)).toEqual({ total: 10, done: 6, failed: 1, running: 0, retried: 1 });
});
