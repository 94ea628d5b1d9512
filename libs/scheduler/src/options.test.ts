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
  [{ leaseMs: 7_999, heartbeatMs: 2_000 }, 'leaseMs must be at least 4 x heartbeatMs (2000), not 7999'],
  [{ leaseMs: 3 }, 'leaseMs must be at least 4 x heartbeatMs (1), not 3'],
  [{ leaseMs: Number.NaN }, 'leaseMs must be a finite number and not negative, not NaN'],
  [{ heartbeatMs: 0 }, 'heartbeatMs must be more than 0, not 0'],
  [{ backoffMsMax: 249 }, 'backoffMsMax must be at least backoffMs (250), not 249'],
  [{ quarantineMsMax: 1 }, 'quarantineMsMax must be at least quarantineMs (30000), not 1'],
  [{ selfFenceMs: 10_000 }, 'selfFenceMs must be below leaseMs (10000), not 10000'],
  [{ graceMs: 10_001 }, 'graceMs must be at most leaseMs (10000), not 10001'],
  [{ confirmMs: 3_999 }, 'confirmMs must be at least 2 x heartbeatMs (2000), not 3999'],
  [{ tinyFactor: 3 }, 'tinyFactor must be a power of two, not 3'],
  [{ shardsPerSlot: 0 }, 'shardsPerSlot must be more than 0, not 0'],
  [{ shardMs: 0.5 }, 'shardMs must be from 1 to 60000, not 0.5'],
  [{ longShardMs: 79 }, 'longShardMs must be from shardMs (80) to 60000, not 79'],
  [{ shardMs: 60_001 }, 'shardMs must be from 1 to 60000, not 60001'],
  [{ backoffMs: -1 }, 'backoffMs must be a finite number and not negative, not -1'],
  [{ seed: Number.NaN }, 'seed must be a finite number and not negative, not NaN'],
])('%j is refused by name', (given, message) => {
  expect(() => schedulerOptions(given)).toThrow(new RangeError(message));
});

test('what is no number is refused by name', () => {
  const given: Record<string, unknown> = { leaseMs: '10s' };
  expect(() => schedulerOptions(given)).toThrow(new TypeError('leaseMs must be a number, not string'));
});

test.each([
  [{ leaseMs: 4_000 }, { heartbeatMs: 800, selfFenceMs: 3_200, graceMs: 3_000, confirmMs: 5_000 }],
  [{ leaseMs: 2_000 }, { heartbeatMs: 400, selfFenceMs: 1_600, graceMs: 2_000, confirmMs: 5_000 }],
  [{ leaseMs: 4 }, { heartbeatMs: 1, selfFenceMs: 3, graceMs: 4 }],
  [{ leaseMs: 60_000 }, { heartbeatMs: 2_000, selfFenceMs: 48_000, graceMs: 3_000 }],
  [{ heartbeatMs: 5_000 }, { leaseMs: 25_000, selfFenceMs: 20_000, confirmMs: 12_500 }],
  [{ heartbeatMs: 300 }, { leaseMs: 10_000, selfFenceMs: 8_000, confirmMs: 5_000 }],
  [
    { heartbeatMs: 500, leaseMs: 2_000 },
    { selfFenceMs: 1_600, graceMs: 2_000 },
  ],
  [
    { quarantineMs: 600_000, backoffMs: 60_000 },
    { quarantineMsMax: 600_000, backoffMsMax: 60_000 },
  ],
  [{ shardMs: 1 }, { longShardMs: 3, shardMsMin: 0.1, aheadBelowMs: 100 }],
  [{ shardMs: 60_000 }, { longShardMs: 60_000, shardMsMin: 8, aheadBelowMs: 75_000 }],
  [{ shardMs: 400, aheadBelowMs: 0 }, { shardMsMin: 8 }],
])('who gives %j is told of nothing that he did not give', (given, fitting) => {
  expect(schedulerOptions(given)).toMatchObject({ ...given, ...fitting });
});
