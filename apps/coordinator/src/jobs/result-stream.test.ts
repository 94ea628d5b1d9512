import { GroupStats, JobProgress, ReadResultsRequest, type ReadResultsResponse } from '@shoal/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Driver } from '../driver.ts';
import { ClientCalls } from './client-calls.ts';
import type { Job } from './job.ts';
import { PrintQueue } from './print-queue.ts';
import { ResultStream } from './result-stream.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What the client of a job hears at first that stands so. */
function toldOf(progress: Partial<JobProgress>): (string | undefined)[] {
  const told: (string | undefined)[] = [];
  const driver = {
    calls: new ClientCalls(),
    step: () => {},
    now: () => 0,
    reading: (act: () => void) => act(),
  };
  const stream = new ResultStream(
    {
      driver: driver as unknown as Driver,
      sink: { write: ({ message }: ReadResultsResponse) => told.push(message?.$case), end: () => {} },
      outcomeAt: () => undefined,
      messageBytes: 1_000,
      progress: () => JobProgress.fromPartial(progress),
      groupStats: () => GroupStats.fromPartial({}),
      statsMs: 2_000,
      fail: () => {},
    },
    ReadResultsRequest.fromPartial({ jobId: 'job-1' }),
  );
  stream.bound({ prints: new PrintQueue(1_000, () => {}), view: {} } as unknown as Job, 0);
  vi.advanceTimersByTime(1_000);
  stream.gone();
  return told;
}

test('of a job that has just begun nothing is said until there is something to say', () => {
  expect(toldOf({})).toEqual([]);
});

test('what it waits for is said at once, and once', () => {
  expect(toldOf({ waitingFor: 'an agent' })).toEqual(['progress']);
});
