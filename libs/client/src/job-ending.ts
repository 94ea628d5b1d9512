import { JobCancelledError, pastDeadline, ShoalError } from '@shoal/errors';
import { type JobRequest, rebuildThrown } from '@shoal/pool';
import { ItemFailure, type JobEnded, JobState, readCatalogueError } from '@shoal/protocol';
import { factsAtHome } from './bundle/home.ts';
import { type JobCode, thrownError } from './job-messages.ts';

/** What of a request says how the end of its job is told. */
type EndedRequest = Pick<JobRequest, 'deadlineMs' | 'encoding'>;

/** The failure that ended a fail-fast job; undefined for every other end. */
export function fastFailureOf({ error, failedIndex: index, state }: JobEnded): ItemFailure | undefined {
  if (state !== JobState.FAILED_FAST || error === undefined || index === undefined) return undefined;
  const { code, error: thrown, facts, message } = error;
  return ItemFailure.fromPartial({ index, code, facts, error: thrown, summary: message });
}

/** What a job's caller is told of an end that the coordinator has made it come to; undefined where all of it was done. */
export function endErrorOf(
  { error, failedIndex, state }: JobEnded,
  { deadlineMs, encoding }: EndedRequest,
  code: JobCode | undefined,
): Error | undefined {
  if (state === JobState.COMPLETED) return undefined;
  if (state === JobState.FAILED_FAST) {
    return new JobCancelledError({ reason: `item ${failedIndex} failed, and failFast is set` });
  }
  // The coordinator was told what its wait had left of it.
  if (state === JobState.DEADLINE && deadlineMs !== undefined) {
    return pastDeadline(deadlineMs, error?.facts['waitingFor']);
  }
  if (error === undefined) return new ShoalError('INTERNAL', { reason: 'a job ended without a reason' });
  const told = { ...error, facts: factsAtHome(error.facts, code) };
  if (error.error.length === 0) return readCatalogueError(told);
  const cause = rebuildThrown(thrownError(error.error, encoding, code));
  return readCatalogueError(told, { cause });
}
