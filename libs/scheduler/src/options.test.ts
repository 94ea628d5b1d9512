import { expect, test } from 'vitest';
import { schedulerOptions } from './options.ts';

test('the defaults hold their own ratios', () => {
  expect(schedulerOptions()).toMatchObject({
    heartbeatMs: 2_000,
    leaseMs: 10_000,
    graceMs: 3_000,
    confirmMs: 5_000,
  });
});

test.each([
  [{ leaseMs: 7_999, selfFenceMs: 5_000 }, 'leaseMs must be at least 4 x heartbeatMs (2000), not 7999'],
  [{ selfFenceMs: 10_000 }, 'selfFenceMs must be below leaseMs (10000), not 10000'],
  [{ graceMs: 10_001 }, 'graceMs must be at most leaseMs (10000), not 10001'],
  [{ confirmMs: 3_999 }, 'confirmMs must be at least 2 x heartbeatMs (2000), not 3999'],
  [{ tinyFactor: 3 }, 'tinyFactor must be a power of two, not 3'],
  [{ shardsPerSlot: 0 }, 'shardsPerSlot must be more than 0, not 0'],
  [{ backoffMs: -1 }, 'backoffMs must be a finite number and not negative, not -1'],
  [{ seed: Number.NaN }, 'seed must be a finite number and not negative, not NaN'],
])('%j is refused by name', (given, message) => {
  expect(() => schedulerOptions(given)).toThrow(new RangeError(message));
});

test('what is no number is refused by name', () => {
  const given: Record<string, unknown> = { leaseMs: '10s' };
  expect(() => schedulerOptions(given)).toThrow(new TypeError('leaseMs must be a number, not string'));
});
