import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WaitingNotice } from './waiting-notice.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a reason that lasts is told once, whatever its numbers; one that passes is not told', () => {
  const said: string[] = [];
  const notice = new WaitingNotice((text) => said.push(text));
  notice.waiting('all slots busy');
  vi.advanceTimersByTime(1000);
  notice.waiting(undefined);
  vi.advanceTimersByTime(5000);
  expect(said).toEqual([]);
  notice.waiting('64 items wait and 0 agents are connected');
  vi.advanceTimersByTime(1500);
  notice.waiting('128 items wait and 0 agents are connected');
  vi.advanceTimersByTime(5000);
  notice.waiting('waits for its input');
  vi.advanceTimersByTime(1500);
  expect(said).toEqual([
    'shoal: the job waits: 64 items wait and 0 agents are connected',
    'shoal: the job waits for its input',
  ]);
});
