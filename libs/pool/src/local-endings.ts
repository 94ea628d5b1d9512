/** How things end, from the words of the child pool and of the scheduler to those of the surface. */
import {
  InitializerError,
  type ItemErrorCode,
  isErrorCode,
  JobCancelledError,
  pastDeadline,
  ShoalError,
} from '@shoal/errors';
import type { AttemptEnding, AttemptFact, FailureKind, FinalFailure, JobOutcome } from '@shoal/scheduler';
import type { ChunkEndingDetail, ItemFailureReport } from './child-pool/chunk-request.ts';
import type { ChildExit, ChunkEnding } from './core/chunk.ts';
import type { FailedOutcome, JobRequest } from './job-backend.ts';
import { rebuildThrown } from './values/rebuilt-error.ts';
import { decodeError, summarize } from './values/remote-error.ts';

const codeOf: Readonly<Record<FailureKind, ItemErrorCode>> = {
  thrown: 'ITEM_THREW',
  crash: 'ITEM_KILLED_CHILD',
  timeout: 'ITEM_TIMED_OUT',
  lost: 'ITEM_LOST',
};

/** A child's end as the scheduler counts it. */
export function attemptFactOf({ pid, exitCode, signal, withItsServer }: ChildExit, ms: number): AttemptFact {
  return {
    ms,
    ...(pid === undefined ? {} : { pid }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(signal === undefined ? {} : { signal }),
    ...(withItsServer === undefined ? {} : { withItsServer }),
  };
}

/** The end of a chunk as the scheduler knows ends. */
export function attemptEndingOf(
  ending: ChunkEnding,
  stderrTail: { readonly stderrTail?: string },
): AttemptEnding {
  switch (ending.kind) {
    case 'finished':
      return { kind: 'finished' };
    case 'childDied': {
      const death = { attempt: attemptFactOf(ending.exit, ending.ms), ...stderrTail };
      return { kind: 'childDied', death, suspects: ending.suspects };
    }
    // The item that ran too long was reported; the others go back unharmed, but for those that may run only once.
    case 'timedOut':
    case 'aborted':
      return { kind: 'returned', ...(ending.started === undefined ? {} : { started: ending.started }) };
    case 'taskFailed':
    case 'initializerFailed':
      return { kind: 'unrunnable' };
  }
}

/** A failure that stands, with what the child sent of it if it sent anything. */
export function failedOutcomeOf(
  index: number,
  failure: FinalFailure,
  report: ItemFailureReport | undefined,
): FailedOutcome {
  const { stderrTail } = failure;
  return {
    index,
    code: report?.code ?? codeOf[failure.kind],
    // There is one agent here, and it has no name that would tell anybody anything.
    attempts: failure.attempts.map(({ agent: _, ...attempt }) => attempt),
    facts: {},
    ...(report === undefined ? {} : { error: decodeError('v8', report.error) }),
    ...(stderrTail === undefined ? {} : { stderrTail }),
  };
}

/** Why no item of a job can run. */
export function unrunnableError(
  kind: 'taskFailed' | 'initializerFailed',
  { error, failure }: ChunkEndingDetail,
): Error {
  const options = error === undefined ? undefined : { cause: rebuildThrown(error) };
  if (kind === 'initializerFailed') {
    const reason = error === undefined ? 'it gave no reason' : summarize(error);
    return new InitializerError({ where: 'a child process', reason }, options);
  }
  if (failure !== undefined && isErrorCode(failure.code)) {
    return new ShoalError(failure.code, failure.facts, options);
  }
  const reason = error === undefined ? 'it gave no reason' : summarize(error);
  return new ShoalError('TASK_LOAD_FAILED', { module: 'The task function', reason, hint: '' }, options);
}

/** What a job that ended rejects with; undefined where every item had its outcome. */
export function jobEndError(
  outcome: JobOutcome,
  request: JobRequest,
  unrunnable: Error | undefined,
): Error | undefined {
  switch (outcome.state) {
    case 'completed':
      return undefined;
    case 'cancelled':
      return new JobCancelledError({ reason: outcome.reason });
    case 'deadline':
      return pastDeadline(request.deadlineMs ?? 0, outcome.wait?.waitingFor);
    case 'unrunnable':
      return unrunnable ?? new ShoalError('INTERNAL', { reason: 'a job cannot run and nobody knows why' });
    case 'failedFast':
      return new JobCancelledError({ reason: `item ${outcome.index} failed, and failFast is set` });
  }
}
