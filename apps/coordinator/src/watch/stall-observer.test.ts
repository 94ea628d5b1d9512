import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StallObserver } from './stall-observer.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a timer that comes much too late is a stall of that length, and is told once', () => {
  const stalls: number[] = [];
  let lag = 0;
  const observer = new StallObserver(
    (ms) => stalls.push(ms),
    () => Date.now() + lag,
  );
  vi.advanceTimersByTime(1000);
  lag = 5000;
  vi.advanceTimersByTime(1000);
  observer.stop();
  expect(stalls).toEqual([5000]);
});

test('an ordinary delay is no stall', () => {
  const stalls: number[] = [];
  let lag = 0;
  const observer = new StallObserver(
    (ms) => stalls.push(ms),
    () => Date.now() + lag,
  );
  vi.advanceTimersByTime(1000);
  lag = 900;
  vi.advanceTimersByTime(1000);
  observer.stop();
  expect(stalls).toEqual([]);
});

test('whoever asks hears of a stall before the timer comes, and it is told once', () => {
  const stalls: number[] = [];
  let lag = 0;
  const observer = new StallObserver(
    (ms) => stalls.push(ms),
    () => Date.now() + lag,
  );
  vi.advanceTimersByTime(1000);
  observer.look();
  lag = 5000;
  observer.look();
  vi.advanceTimersByTime(1000);
  observer.stop();
  expect(stalls).toEqual([4750]);
});
