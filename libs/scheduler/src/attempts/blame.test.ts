import { expect, test } from 'vitest';
import { defaultRetries } from '../jobs/job-spec.ts';
import { asCharged, judge, spotless, whileTwinRuns } from './blame.ts';
import type { ItemFailure } from './failure.ts';

const timeout: ItemFailure = { kind: 'timeout', retryable: true, attempt: { agent: 'a', pid: 7 } };
const lost: ItemFailure = { kind: 'lost', retryable: true, attempt: { agent: 'b' } };

test('an item that failed for good fails for that, also where the machine of its second attempt is lost', () => {
  const spent = whileTwinRuns(spotless, judge(spotless, timeout, defaultRetries));
  expect(judge(spent, lost, defaultRetries)).toEqual({
    final: { kind: 'timeout', attempts: [timeout.attempt, lost.attempt] },
  });
});

test('the first death with its server is a loss of the item, each further one a crash', () => {
  const attempt = { pid: 7, signal: 'SIGKILL', withItsServer: true } as const;
  const death: ItemFailure = { kind: 'crash', retryable: true, attempt };
  let history = spotless;
  const charged: string[] = [];
  for (;;) {
    const failure = asCharged(history, death);
    charged.push(failure.kind);
    const verdict = judge(history, failure, defaultRetries);
    if ('final' in verdict) {
      expect(verdict.final).toEqual({ kind: 'crash', attempts: Array(4).fill(attempt) });
      break;
    }
    history = verdict.retry;
  }
  expect(charged).toEqual(['lost', 'crash', 'crash', 'crash']);
});

test('with no retry after a loss an item is not run again when its server died', () => {
  const attempt = { pid: 7, signal: 'SIGKILL', withItsServer: true } as const;
  const failure = asCharged(spotless, { kind: 'crash', retryable: true, attempt });
  expect(judge(spotless, failure, { ...defaultRetries, lost: 0 })).toEqual({
    final: { kind: 'lost', attempts: [attempt] },
  });
});
