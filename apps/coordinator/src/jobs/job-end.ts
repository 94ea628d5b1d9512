import { durationText, type ErrorCode, type Facts } from '@shoal/errors';
import {
  type CatalogueError,
  errorOf,
  type ItemFailure,
  type JobEnded,
  JobState,
  writeCatalogueError,
} from '@shoal/protocol';
import type { JobEnding, JobView } from '../core/index.ts';
import { failureFacts } from './final-failure.ts';
import type { Job } from './job.ts';

/** How a job ended, as its client is told. `failure` is the item that a fail-fast job ended with. */
export function jobEnded(
  {
    id,
    request,
    unrunnable,
    view,
  }: Pick<Job, 'id' | 'request' | 'unrunnable'> & {
    readonly view: Pick<JobView, 'succeeded' | 'failed'>;
  },
  ending: JobEnding,
  failure: ItemFailure | undefined,
): JobEnded {
  const counts = { succeeded: view.succeeded, failed: view.failed };
  const { deadlineMs, timeoutMs } = request.options;
  switch (ending.state) {
    case 'completed':
      return { state: JobState.COMPLETED, ...counts };
    case 'cancelled':
      return {
        state: JobState.CANCELLED,
        ...counts,
        error: told('JOB_CANCELLED', { reason: ending.reason }),
      };
    case 'deadline':
      return {
        state: JobState.DEADLINE,
        ...counts,
        error: told('JOB_DEADLINE', { limit: durationText(deadlineMs) }),
      };
    case 'unrunnable': {
      const unsaid = told('INTERNAL', { reason: `no agent said why job ${id} cannot run` });
      return { state: JobState.UNRUNNABLE, ...counts, error: unrunnable ?? unsaid };
    }
    case 'noRoom':
      return {
        state: JobState.UNRUNNABLE,
        ...counts,
        error: told('NO_ROOM', { job: id, reason: ending.reason }),
      };
    case 'failedFast': {
      const { index: failedIndex } = ending;
      const error =
        failure === undefined
          ? told('ITEM_THREW', { index: failedIndex, reason: 'unknown', where: 'unknown' })
          : writeCatalogueError(errorOf(failure.code, failureFacts(failure, timeoutMs)), failure.error);
      return { state: JobState.FAILED_FAST, ...counts, failedIndex, error };
    }
  }
}

const told = (code: ErrorCode, facts: Facts): CatalogueError => writeCatalogueError(errorOf(code, facts));
