import { type ErrorCode, type Facts, pastDeadline } from '@shoal/errors';
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

/** What is known beside the ending itself. */
export interface EndFacts {
  /** The item that a fail-fast job ended with. */
  readonly failure?: ItemFailure | undefined;
  /** What a job waited for whose deadline has passed, in the words of an operator; empty: for nothing. */
  readonly waitingFor?: string;
}

/** How a job ended, as its client is told. */
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
  { failure, waitingFor }: EndFacts = {},
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
        error: writeCatalogueError(pastDeadline(deadlineMs, waitingFor)),
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
