import { expect, test } from 'vitest';
import { TaskRecords } from './task-record.ts';

test('many items are expected to take as long as those of the last function of their kind', () => {
  const records = new TaskRecords();
  records.of('job-1 f', 'f').measured(10, 1);
  expect(records.of('job-2 f', 'f').estimateMs(64)).toBeCloseTo(6.4);
  // Also where that was never measured itself.
  expect(records.of('job-3 f', 'f').estimateMs(64)).toBeCloseTo(6.4);
  expect(records.of('job-4 g', 'g').estimateMs(64)).toBe(Number.POSITIVE_INFINITY);
  expect(records.of('job-5 f').estimateMs(64)).toBe(Number.POSITIVE_INFINITY);
});

test('what few items take nobody knows before they are measured', () => {
  const records = new TaskRecords();
  records.of('job-1 f', 'f').measured(10, 1);
  const record = records.of('job-2 f', 'f');
  expect(record.estimateMs(63)).toBe(Number.POSITIVE_INFINITY);
  record.measured(1, 2);
  expect(record.estimateMs(63)).toBe(126);
});

test('of many kinds the one that was used longest ago is forgotten', () => {
  const records = new TaskRecords(2);
  records.of('1', 'f').measured(1, 1);
  records.of('2', 'g').measured(1, 1);
  records.of('3', 'f').measured(1, 1);
  records.of('4', 'h');
  expect(records.of('5', 'f').likelyMs).toBe(1);
  expect(records.of('6', 'g').likelyMs).toBeUndefined();
});
