/**
 * From what a user passes to a method to a job that can start:
 *
 *   checked options + resolved function -> JobRequest -> PreparedJob -> JobRun
 */
import { ItemError } from '@shoal/errors';
import { defaultRetries } from '@shoal/scheduler';
import type { TaskRef } from '../child-pool/chunk-request.ts';
import { PrintWriter } from '../child-pool/print-writer.ts';
import type { JobBackend, JobRequest } from '../job-backend.ts';
import type { Items, TaskModule } from '../map-pool.ts';
import { checkJobOptions, type JobOptions } from '../options/option-table.ts';
import type { MapOptions, PoolOptions } from '../options/options.ts';
import type { AnyFunction } from '../task/task.ts';
import { resolveTask } from '../task/task-function.ts';
import { findNoArgumentList, noArgumentListFacts } from './argument-lists.ts';
import type { CallSite } from './call-site.ts';
import { checkItems, isPlainArray, knownLength } from './input-puller.ts';
import { JobRun, type JobRunOptions, type OutcomeConsumer } from './job-run.ts';
import type { Method } from './method.ts';
import { ProgressMeter } from './progress-meter.ts';
import { PullWindow } from './pull-window.ts';

/** What a surface takes from a pool's options; the backend has the rest. */
export type SurfaceOptions = Pick<
  PoolOptions,
  | 'processes'
  | 'maxTasksPerChild'
  | 'concurrentTasksPerChild'
  | 'maxItemBytes'
  | 'maxResultBytes'
  | 'maxBroadcastBytes'
  | 'onDispose'
  | 'unreadStreamMs'
  | 'stdio'
  | 'printer'
>;

export type AnyTask = AnyFunction | TaskModule;

/** One call of a method: its arguments, and where it was made. */
export interface MethodCall {
  readonly method: Method;
  readonly fn: AnyTask;
  readonly items: Items<unknown>;
  readonly options: object | undefined;
  /** What has been read of the options, each once; of those that are refused as it came. */
  readonly given: Record<string, unknown>;
  readonly site: CallSite;
}

/** A job as the methods get it: checked, its function known, not yet started. */
export interface PreparedJob {
  readonly call: MethodCall;
  readonly request: JobRequest;
  readonly options: JobOptions;
}

// The window of a job whose user chose none: of a stream, whose consumer may stop, and of what takes every result at once.
const windowItemsMax = 65_536;
const collectedItemsMax = 262_144;
const windowBytesMax = 16 * 1024 * 1024;
const defaultItemBytesMax = 64 * 1024 * 1024;

export class JobOpener {
  readonly #backend: JobBackend;
  readonly #options: SurfaceOptions;
  readonly #printer: PrintWriter;

  constructor(backend: JobBackend, options: SurfaceOptions) {
    this.#backend = backend;
    this.#options = options;
    this.#printer = options.printer ?? new PrintWriter();
  }

  /** Throws, or rejects, before anything has started. `checkOpen` throws if the pool takes no work. */
  prepare(call: MethodCall, checkOpen: () => void): PreparedJob | Promise<PreparedJob> {
    const { method, fn, given } = call;
    const takesModule = typeof fn !== 'function';
    const options = checkJobOptions(method.name, method.kind, takesModule, call.options, given);
    checkItems(method.spread ? 'argLists' : 'items', call.items);
    checkOpen();
    const task = resolveTask(fn, options.export);
    const { retryOn } = options;
    if (typeof retryOn === 'function') {
      return Promise.all([task, resolveTask(retryOn as AnyFunction, undefined, 'retryOn')]).then(
        ([ref, predicate]) => {
          if (predicate.kind !== 'inline') throw new TypeError('retryOn has to be an inline function.');
          return this.#jobOf(call, ref, options, { source: predicate.source });
        },
      );
    }
    const names = retryOn === undefined ? undefined : { names: retryOn };
    if (task instanceof Promise) return task.then((ref) => this.#jobOf(call, ref, options, names));
    return this.#jobOf(call, task, options, names);
  }

  /** The job, ready to start. */
  run(
    job: PreparedJob,
    consumer: OutcomeConsumer,
    onOver: JobRunOptions['onOver'],
    meter?: ProgressMeter,
  ): JobRun {
    const { call, request, options } = job;
    const slots = this.#options.processes ?? 8;
    const windowMax = windowMaxOf(call.method);
    const chunkSize = request.chunkSize === 'auto' ? 1 : request.chunkSize;
    const progress = meter ?? (options.onProgress && new ProgressMeter(options.onProgress, () => run.total));
    const run: JobRun = new JobRun({
      backend: this.#backend,
      request,
      items: call.items,
      site: call.site,
      consumer,
      window: new PullWindow({
        fixed: options.bufferSize,
        // Whoever collects takes every result at once: there is nothing to find out about its speed.
        start: call.method.kind === 'stream' ? Math.max(64, 4 * slots * chunkSize) : windowMax,
        max: windowMax,
        nowMs: () => performance.now(),
      }),
      windowBytes: options.bufferBytes ?? windowBytesMax,
      itemBytesMax: this.#options.maxItemBytes ?? defaultItemBytesMax,
      // Python's bound for a chunk: four for every process.
      blockItemsMax:
        request.totalItems === undefined ? Infinity : Math.ceil(request.totalItems / (4 * slots)),
      print: (print, agent) => {
        if (this.#options.stdio !== 'ignore') this.#printer.write(print, agent);
      },
      progress,
      isCollected: call.method.kind !== 'stream',
      signal: options.signal,
      onOver,
    });
    return run;
  }

  #jobOf(call: MethodCall, task: TaskRef, options: JobOptions, retryOn: JobRequest['retryOn']): PreparedJob {
    if (call.method.spread) checkArgumentLists(task, call.items);
    const maxTasksPerChild = options.maxTasksPerChild ?? this.#options.maxTasksPerChild;
    const concurrent = options.concurrentTasksPerChild ?? this.#options.concurrentTasksPerChild;
    const { timeoutMs, deadlineMs, chunkSize, failFast, priority, pure, labels, requestId, bufferSize } =
      options;
    const { maxResultBytes } = this.#options;
    const totalItems = knownLength(call.items);
    const request: JobRequest = {
      task,
      encoding: 'v8',
      spread: call.method.spread,
      ordered: call.method.ordered,
      chunkSize: chunkSize ?? 'auto',
      retries: retryBudgets(options.retries),
      failFast: failFast ?? false,
      pure: pure ?? false,
      priority: priority ?? 0,
      labels: { ...labels },
      windowItems: bufferSize ?? windowMaxOf(call.method),
      ...(totalItems === undefined ? {} : { totalItems }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
      ...(requestId === undefined ? {} : { requestId }),
      ...(retryOn === undefined ? {} : { retryOn }),
      ...(maxTasksPerChild === undefined ? {} : { maxTasksPerChild }),
      ...(concurrent === undefined ? {} : { concurrentTasksPerChild: concurrent }),
      ...(maxResultBytes === undefined ? {} : { maxResultBytes }),
    };
    return { call, request, options };
  }
}

/** Throws ARGUMENTS_NOT_LIST for the first item that is none. What no array is shows its items only as they are pulled. */
function checkArgumentLists(task: TaskRef, items: Items<unknown>): void {
  if (!isPlainArray(items)) return;
  let index: number | undefined;
  try {
    index = findNoArgumentList(items);
  } catch {
    // An element that throws ends the input where it stands, as for every method.
  }
  if (index === undefined) return;
  throw new ItemError({
    code: 'ARGUMENTS_NOT_LIST',
    index,
    task: task.name,
    attempts: [],
    facts: noArgumentListFacts(items[index]),
  });
}

function windowMaxOf({ kind }: Method): number {
  return kind === 'stream' ? windowItemsMax : collectedItemsMax;
}

function retryBudgets(retries: MapOptions['retries']): JobRequest['retries'] {
  if (retries === undefined) return defaultRetries;
  if (typeof retries === 'number') {
    return { ...defaultRetries, thrown: retries, crash: retries, timeout: retries };
  }
  const given = Object.entries(retries).filter(([, budget]) => budget !== undefined);
  return { ...defaultRetries, ...Object.fromEntries(given) };
}
