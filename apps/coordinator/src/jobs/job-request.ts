import { createHash } from 'node:crypto';
import { ShoalError } from '@shoal/errors';
import { ChildSetup, CreateJobRequest, Encoding, JobOptions, RetryBudgets, TaskRef } from '@shoal/protocol';
import { defaultRetries, type JobSpec } from '@shoal/scheduler';
import type { BundleStore } from '../bundles/bundle-store.ts';
import { encodingName } from '../encoding-name.ts';
import { checkLabels } from '../label-check.ts';

/** What a coordinator allows a job. */
export interface JobLimits {
  /** Items pushed and not acknowledged, at most and by default. */
  readonly windowItems: number;
  /** Bytes of items and results held for a job. */
  readonly windowBytes: number;
  readonly maxLabels: number;
  readonly maxResultBytes: number;
}

/** A request for a job: every field checked, defaults filled in, a named function looked up. */
export interface CheckedRequest {
  readonly requestId: string;
  /** Equal for requests with equal content. */
  readonly fingerprint: string;
  /** Size of the request as it came. */
  readonly bytes: number;
  /** Never `named`. */
  readonly task: TaskRef;
  readonly options: JobOptions;
  readonly setup: ChildSetup;
  /** Bundles that the job needs. */
  readonly bundles: readonly string[];
  readonly windowBytes: number;
}

/** Checks a request before anything starts. Throws `REQUEST_INVALID` with the field, or `BUNDLE_NOT_FOUND`. */
export function checkJobRequest(
  request: CreateJobRequest,
  bundles: BundleStore,
  limits: JobLimits,
): CheckedRequest {
  const options = request.options ?? JobOptions.fromPartial({});
  const setup = request.setup ?? ChildSetup.fromPartial({});
  const task = foundTask('task', request.task, bundles);
  const initializer = setup.initializer && {
    ...setup.initializer,
    task: foundTask('setup.initializer.task', setup.initializer.task, bundles),
  };
  const constants = initializer?.broadcastSha256 ?? [];
  for (const sha256 of constants) {
    if (!bundles.has(sha256)) throw new ShoalError('BUNDLE_NOT_FOUND', { bundle: sha256 });
  }
  check(Math.abs(options.priority) <= 100, 'options.priority', 'must be from -100 to 100');
  checkLabels('options.labels', options.labels, limits.maxLabels);
  return {
    requestId: request.requestId,
    ...identityOf(request),
    task,
    options: {
      ...options,
      encoding: options.encoding === Encoding.UNSPECIFIED ? Encoding.JSON : options.encoding,
      // No error: a producer is told how far it may go, and goes no further.
      windowItems: Math.min(options.windowItems || limits.windowItems, limits.windowItems),
      concurrentTasksPerChild: Math.max(1, options.concurrentTasksPerChild),
      maxResultBytes: Math.min(options.maxResultBytes || limits.maxResultBytes, limits.maxResultBytes),
    },
    setup: { ...setup, initializer },
    bundles: [bundleOf(task), bundleOf(initializer?.task), ...constants].filter(
      (sha256) => sha256 !== undefined,
    ),
    windowBytes: limits.windowBytes,
  };
}

/** The job as the scheduler has to know it. `group` is for jobs that belong to none. */
export function jobSpec(
  { options, task, windowBytes }: CheckedRequest,
  group: string,
  nowMs: number,
): JobSpec {
  const asked = options.retries ?? RetryBudgets.fromPartial({});
  const retries = {
    thrown: asked.thrown ?? defaultRetries.thrown,
    crash: asked.crash ?? defaultRetries.crash,
    timeout: asked.timeout ?? defaultRetries.timeout,
    lost: asked.lost ?? defaultRetries.lost,
  };
  return {
    priority: options.priority,
    labels: options.labels,
    encoding: encodingName(options.encoding),
    chunkSize: options.chunkSize === 0 ? 'auto' : options.chunkSize,
    concurrentTasks: options.concurrentTasksPerChild,
    ...(options.totalItems === undefined ? {} : { totalItems: options.totalItems }),
    group: {
      id: options.group?.id || group,
      processes: options.group?.processes || Number.MAX_SAFE_INTEGER,
    },
    // What one client's items cost is no other's business.
    ...(options.group === undefined ? {} : { kind: `${options.group.id} ${hashOf(task)}` }),
    retries,
    ordered: !options.unordered,
    failFast: options.failFast,
    pure: options.pure,
    // A time limit needs the start of each item; and an item that must not run twice needs exact blame.
    marksStarts: options.timeoutMs > 0 || retries.crash === 0,
    windowItems: options.windowItems,
    windowBytes,
    ...(options.deadlineMs === 0 ? {} : { deadlineAtMs: nowMs + options.deadlineMs }),
  };
}

function foundTask(field: string, task: TaskRef | undefined, bundles: BundleStore): TaskRef {
  const source = task?.function;
  if (task === undefined || source === undefined) {
    throw new ShoalError('REQUEST_INVALID', { field, reason: 'names no function' });
  }
  switch (source.$case) {
    case 'named': {
      const [bundle = '', exported = ''] = source.value.split('#', 2);
      const { sha256 } = bundles.resolve(bundle);
      const name = task.name || exported || bundle;
      const value = { bundleSha256: sha256, export: exported || 'default' };
      return { name, function: { $case: 'moduleExport', value } };
    }
    case 'moduleExport':
    case 'registered':
      if (!bundles.has(source.value.bundleSha256)) {
        throw new ShoalError('BUNDLE_NOT_FOUND', { bundle: source.value.bundleSha256 });
      }
      return task;
    case 'inlineSource':
      check(source.value !== '', field, 'has no source');
      return task;
  }
}

function bundleOf(task: TaskRef | undefined): string | undefined {
  const source = task?.function;
  return source?.$case === 'moduleExport' || source?.$case === 'registered'
    ? source.value.bundleSha256
    : undefined;
}

function identityOf(request: CreateJobRequest): Pick<CheckedRequest, 'bytes' | 'fingerprint'> {
  const content = CreateJobRequest.encode({ ...request, requestId: '', client: undefined }).finish();
  return {
    fingerprint: createHash('sha256').update(content).digest('hex'),
    bytes: content.byteLength + request.requestId.length,
  };
}

function hashOf(task: TaskRef): string {
  return createHash('sha256').update(TaskRef.encode(task).finish()).digest('base64');
}

function check(holds: boolean, field: string, reason: string): void {
  if (!holds) throw new ShoalError('REQUEST_INVALID', { field, reason });
}
