import { expect, test } from 'vitest';
import { defaultRetries } from '../jobs/job-spec.ts';
import { judge, spotless, whileTwinRuns } from './blame.ts';
import type { ItemFailure } from './failure.ts';

const timeout: ItemFailure = { kind: 'timeout', retryable: true, attempt: { agent: 'a', pid: 7 } };
const lost: ItemFailure = { kind: 'lost', retryable: true, attempt: { agent: 'b' } };

test('an item that failed for good fails for that, also where the machine of its second attempt is lost', () => {
  const spent = whileTwinRuns(spotless, judge(spotless, timeout, defaultRetries));
  expect(judge(spent, lost, defaultRetries)).toEqual({
    final: { kind: 'timeout', attempts: [timeout.attempt, lost.attempt] },
  });
});
