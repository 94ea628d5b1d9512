import { AttemptReport, DataRequest, type DataResponse } from '@shoal/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Driver } from '../driver.ts';
import type { PayloadVault } from '../payloads/payload-vault.ts';
import { AgentSession } from './agent-session.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A session whose agent is told what `sent` says; nobody else hears of its news. */
function world() {
  const sent: DataResponse[] = [];
  const driver = { jobs: new Map(), step: () => {}, reading: (act: () => void) => act() };
  const silent = { write: () => {}, end: () => {}, fail: () => {} };
  const session = new AgentSession(1, 'a', {
    driver: driver as unknown as Driver,
    vault: {} as PayloadVault,
    epoch: 1,
    control: silent,
    messageBytes: 1_000,
    maxResultBytes: 1_000,
    onOver: () => {},
  });
  session.bindData({
    ...silent,
    write: (message: DataResponse, onFlushed: () => void) => {
      sent.push(message);
      onFlushed();
    },
  });
  vi.advanceTimersByTime(0);
  /** An attempt of no job that is there has ended. */
  const reportEnd = (sequence: number): void => {
    const ended = { ending: { $case: 'finished' as const, value: {} } };
    const report = AttemptReport.fromPartial({ attempt: sequence, ended });
    session.takeBatch(DataRequest.fromPartial({ sequence, reports: [report] }));
  };
  return { session, sent, reportEnd };
}

test('the ends of attempts that come soon after each other are confirmed together', () => {
  const { sent, reportEnd } = world();
  reportEnd(1);
  vi.advanceTimersByTime(10);
  reportEnd(2);
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(10);
  expect(sent.map(({ takenSequence }) => takenSequence)).toEqual([2]);
});

test('and with whatever else its agent is told meanwhile', () => {
  const { session, sent, reportEnd } = world();
  reportEnd(1);
  session.forgetJob('job-1');
  vi.advanceTimersByTime(0);
  expect(sent.map(({ takenSequence, forgetJobIds }) => [takenSequence, forgetJobIds])).toEqual([[1, []]]);
  vi.runAllTimers();
  expect(sent).toHaveLength(1);
});

test('no more than eight batches wait, whatever they say', () => {
  const { sent, reportEnd } = world();
  for (let sequence = 1; sequence <= 8; sequence += 1) reportEnd(sequence);
  vi.advanceTimersByTime(0);
  expect(sent.map(({ takenSequence }) => takenSequence)).toEqual([8]);
});
