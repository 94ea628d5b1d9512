import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Reaper } from './reaper.ts';

vi.mock('node:child_process');

/** What the shell of a reaper was told, a string for each time that it was woken. */
function shellWith(writes: string[]): void {
  const stdin = Object.assign(new EventEmitter(), { write: (lines: string) => writes.push(lines) });
  const shell = Object.assign(new EventEmitter(), { stdin, unref() {} });
  vi.mocked(spawn).mockReturnValue(shell as never);
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a group that is gone and its successor are told together', () => {
  const writes: string[] = [];
  shellWith(writes);
  const reaper = new Reaper();
  reaper.watch(1_001);
  reaper.unwatch(1_001);
  reaper.watch(1_002);
  expect(writes).toEqual(['+ 1001\n', '- 1001\n+ 1002\n']);
});

test('a group that has no successor is told 20 ms later, together with those that went meanwhile', () => {
  const writes: string[] = [];
  shellWith(writes);
  const reaper = new Reaper();
  reaper.watch(1_001);
  reaper.watch(1_002);
  writes.length = 0;
  reaper.unwatch(1_001);
  vi.advanceTimersByTime(10);
  reaper.unwatch(1_002);
  expect(writes).toEqual([]);
  vi.advanceTimersByTime(10);
  expect(writes).toEqual(['- 1001\n- 1002\n']);
  vi.advanceTimersByTime(100);
  expect(writes.length).toBe(1);
});

test('a number that comes back is watched again', () => {
  const writes: string[] = [];
  shellWith(writes);
  const reaper = new Reaper();
  reaper.watch(1_001);
  reaper.unwatch(1_001);
  reaper.watch(1_001);
  expect(writes.join('')).toBe('+ 1001\n- 1001\n+ 1001\n');
});
