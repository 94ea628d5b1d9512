/** What the scheduler and the child pool have to know of a job of the surface, each its own part. */
import type { JobSpec } from '@shoal/scheduler';
import type { ChunkRequest } from './child-pool/chunk-request.ts';
import { kindOf } from './child-pool/task-kind.ts';
import type { JobRequest } from './job-backend.ts';

// Bytes of items and results that a job may hold here, beside what its consumer holds.
const windowBytes = 64 * 1024 * 1024;

/** A job as the scheduler knows it. */
export function jobSpecOf(request: JobRequest, group: JobSpec['group'], nowMs: number): JobSpec {
  const { priority, chunkSize, totalItems, retries, ordered, failFast, pure, windowItems } = request;
  const { timeoutMs, deadlineMs } = request;
  return {
    priority,
    // One machine: there is none to choose.
    labels: {},
    chunkSize,
    group,
    ...kindOf(request.task),
    retries,
    ordered,
    failFast,
    pure,
    windowItems,
    windowBytes,
    // An item that may not run twice must not be a suspect for what another one did.
    marksStarts: timeoutMs !== undefined || retries.crash === 0,
    ...(request.concurrentTasksPerChild === undefined
      ? {}
      : { concurrentTasks: request.concurrentTasksPerChild }),
    ...(totalItems === undefined ? {} : { totalItems }),
    ...(deadlineMs === undefined ? {} : { deadlineAtMs: nowMs + deadlineMs }),
  };
}

type ChunkParts = Omit<
  ChunkRequest,
  'id' | 'setup' | 'job' | 'first' | 'count' | 'blocks' | 'marksStarts' | 'tryNumber' | 'agent'
>;

/** What is the same for all chunks of a job. */
export function chunkPartsOf(request: JobRequest, maxResultBytes: number): ChunkParts {
  const { task, encoding, spread, retries, retryOn } = request;
  const { timeoutMs, maxTasksPerChild, concurrentTasksPerChild } = request;
  return {
    task,
    encoding,
    spread,
    maxResultBytes: request.maxResultBytes ?? maxResultBytes,
    ...(retries.crash === 0 && retries.lost === 0 ? { runsOnce: true } : {}),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(maxTasksPerChild === undefined ? {} : { maxTasksPerChild }),
    ...(concurrentTasksPerChild === undefined ? {} : { concurrentTasksPerChild }),
    ...(retryOn === undefined ? {} : { retryOn }),
  };
}
