import { durationText, type ErrorCode, type Facts } from '@shoal/errors';
import {
  type CatalogueError,
  errorOf,
  type ItemFailure,
  type JobEnded,
  JobState,
  writeCatalogueError,
} from '@shoal/protocol';
import type { JobOutcome } from '@shoal/scheduler';
import { failureFacts } from './final-failure.ts';
import type { Job } from './job.ts';

/** How a job ended, as its client is told. `failure` is the item that a fail-fast job ended with. */
export function jobEnded(
  job: Pick<Job, 'id' | 'succeeded' | 'failed' | 'request' | 'unrunnable'>,
  outcome: JobOutcome,
  failure: ItemFailure | undefined,
): JobEnded {
  const counts = { succeeded: job.succeeded, failed: job.failed };
  const { deadlineMs, timeoutMs } = job.request.options;
  switch (outcome.state) {
    case 'completed':
      return { state: JobState.COMPLETED, ...counts };
    case 'cancelled':
      return {
        state: JobState.CANCELLED,
        ...counts,
        error: told('JOB_CANCELLED', { reason: outcome.reason }),
      };
    case 'deadline':
      return {
        state: JobState.DEADLINE,
        ...counts,
        error: told('JOB_DEADLINE', { limit: durationText(deadlineMs) }),
      };
    case 'unrunnable': {
      const unsaid = told('INTERNAL', { reason: `no agent said why job ${job.id} cannot run` });
      return { state: JobState.UNRUNNABLE, ...counts, error: job.unrunnable ?? unsaid };
    }
    case 'failedFast': {
      const { index: failedIndex } = outcome;
      const error =
        failure === undefined
          ? told('ITEM_THREW', { index: failedIndex, reason: 'unknown', where: 'unknown' })
          : writeCatalogueError(errorOf(failure.code, failureFacts(failure, timeoutMs)), failure.error);
      return { state: JobState.FAILED_FAST, ...counts, failedIndex, error };
    }
  }
}

const told = (code: ErrorCode, facts: Facts): CatalogueError => writeCatalogueError(errorOf(code, facts));
