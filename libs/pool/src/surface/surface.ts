/**
 * The methods of a pool, once for every backend: what `new Pool()` and `connect()` return.
 *
 *   checked options + resolved function -> JobRequest -> JobRun -> collector (map) | queue (imap)
 */
import { PoolClosedError, PoolTerminatedError, ShoalError } from '@shoal/errors';
import { defaultRetries } from '@shoal/scheduler';
import type { TaskRef } from '../chunk-request.ts';
import type { JobBackend, JobRequest, PoolStats } from '../job-backend.ts';
import type { Items, MapPool, ResultStream, Settled, TaskModule } from '../map-pool.ts';
import {
  checkJobOptions,
  type MapOptions,
  type MethodKind,
  type ModuleOptions,
  type PoolOptions,
  type StreamOptions,
  type SubmitOptions,
} from '../options.ts';
import { PrintWriter } from '../print-writer.ts';
import type { AnyFunction } from '../task.ts';
import { resolveTask } from '../task-function.ts';
import { checkItems, knownLength } from './input-puller.ts';
import { type Job, JobHandle } from './job.ts';
import { JobRun, type OutcomeConsumer } from './job-run.ts';
import { KeepAlive } from './keep-alive.ts';
import { type Collector, MapCollector, SettledCollector } from './map-collector.ts';
import { OutcomeQueue, OutcomeStream } from './outcome-stream.ts';
import { ProgressMeter } from './progress-meter.ts';
import { PullWindow } from './pull-window.ts';
import { callUser } from './user-callback.ts';

/** What a surface takes from a pool's options; the backend has the rest. */
export type SurfaceOptions = Pick<
  PoolOptions,
  | 'processes'
  | 'maxTasksPerChild'
  | 'concurrentTasksPerChild'
  | 'maxItemBytes'
  | 'maxResultBytes'
  | 'onDispose'
  | 'stdio'
  | 'printer'
>;

type AnyTask = AnyFunction | TaskModule;
type JobOptions = MapOptions & StreamOptions & ModuleOptions & SubmitOptions<never>;

// The window of a job whose user chose none.
const windowItemsMax = 65_536;
const windowBytesMax = 16 * 1024 * 1024;
const defaultItemBytesMax = 64 * 1024 * 1024;

/** What differs between the methods. */
interface Method {
  readonly name: string;
  readonly kind: MethodKind;
  readonly spread: boolean;
  readonly ordered: boolean;
}

/** A job as the methods get it: checked, its function known, not yet started. */
interface PreparedJob {
  readonly request: JobRequest;
  readonly options: JobOptions;
}

const newMapCollector = (request: JobRequest): MapCollector => new MapCollector(request);

/** The one implementation of {@link MapPool}, over any backend. */
export class PoolSurface implements MapPool {
  readonly #backend: JobBackend;
  readonly #options: SurfaceOptions;
  readonly #printer: PrintWriter;
  readonly #keepAlive = new KeepAlive();
  #state: 'open' | 'closed' | 'terminated' = 'open';
  #gone: Promise<void> | undefined;

  constructor(backend: JobBackend, options: SurfaceOptions = {}) {
    this.#backend = backend;
    this.#options = options;
    this.#printer = options.printer ?? new PrintWriter();
  }

  map(fn: AnyTask, items: Items<unknown>, options?: object): Promise<never[]> {
    const method = { name: 'map', kind: 'map', spread: false, ordered: false } as const;
    return this.#collect(method, fn, items, options, newMapCollector) as Promise<never[]>;
  }

  starmap(fn: AnyTask, argLists: Items<unknown>, options?: object): Promise<never[]> {
    const method = { name: 'starmap', kind: 'map', spread: true, ordered: false } as const;
    return this.#collect(method, fn, argLists, options, newMapCollector) as Promise<never[]>;
  }

  async apply(fn: AnyTask, args: readonly unknown[], options?: object): Promise<never> {
    if (!Array.isArray(args)) throw new TypeError('apply() takes the arguments as an array.');
    const method = { name: 'apply', kind: 'map', spread: true, ordered: false } as const;
    const results = await this.#collect(method, fn, [args], options, newMapCollector);
    return results[0] as never;
  }

  mapSettled(fn: AnyTask, items: Items<unknown>, options?: object): Promise<Settled<never>[]> {
    const method = { name: 'mapSettled', kind: 'map', spread: false, ordered: false } as const;
    const outcomes = this.#collect(method, fn, items, options, (request) => new SettledCollector(request));
    return outcomes as Promise<Settled<never>[]>;
  }

  imap(fn: AnyTask, items: Items<unknown>, options?: object): ResultStream<never> {
    return this.#stream({ name: 'imap', kind: 'stream', spread: false, ordered: true }, fn, items, options);
  }

  imapUnordered(fn: AnyTask, items: Items<unknown>, options?: object): ResultStream<never> {
    const method = { name: 'imapUnordered', kind: 'stream', spread: false, ordered: false } as const;
    return this.#stream(method, fn, items, options);
  }

  submit(fn: AnyTask, items: Items<unknown>, options?: object): Job<never> {
    const method = { name: 'submit', kind: 'submit', spread: false, ordered: false } as const;
    const settle = Promise.withResolvers<unknown[]>();
    let run: JobRun | undefined;
    let refused = false;
    const progress = new ProgressMeter(
      (options as JobOptions | undefined)?.onProgress,
      () => run?.total ?? knownLength(items),
    );
    const begin = async (): Promise<unknown[]> => {
      checkItems('items', items);
      const job = await this.#prepare(method, fn, items, options);
      const collector = new MapCollector(job.request);
      // Looked at again after the await: cancel() may have been called.
      if (refused) return settle.promise;
      run = this.#runOf(job, items, collector, progress);
      collector.collect(run);
      run.start();
      return collector.promise;
    };
    this.#whileAwake(begin()).then(settle.resolve, settle.reject);
    const outcome = settle.promise;
    // Callbacks are checked by #prepare before any of them can be called.
    const { onSuccess, onError } = (options ?? {}) as SubmitOptions<unknown[]>;
    outcome.then(
      (results) => typeof onSuccess === 'function' && callUser('onSuccess', () => onSuccess(results)),
      (error) => typeof onError === 'function' && callUser('onError', () => onError(error)),
    );
    const handle = new JobHandle({
      outcome,
      progress,
      run: () => run,
      refuse: (error) => {
        refused = true;
        settle.reject(error);
      },
    });
    return handle as unknown as Job<never>;
  }

  close(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closed';
    this.#gone = this.#backend.close();
    this.#gone.catch(() => {});
  }

  async terminate(): Promise<void> {
    if (this.#state !== 'terminated') {
      this.#state = 'terminated';
      this.#gone = this.#backend.terminate(new PoolTerminatedError());
      this.#gone.catch(() => {});
    }
    await this.#whileAwake(this.#gone ?? Promise.resolve()).catch(() => {});
  }

  async join(): Promise<void> {
    if (this.#state === 'open') throw new ShoalError('POOL_NOT_CLOSED');
    // terminate() may come while we wait for close(), whose promise then waits for the same children.
    await this.#whileAwake(this.#gone ?? Promise.resolve());
  }

  stats(): PoolStats {
    return this.#backend.stats();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#options.onDispose === 'drain') {
      this.close();
      await this.join();
    } else {
      await this.terminate();
    }
  }

  async #collect<R>(
    method: Method,
    fn: AnyTask,
    items: Items<unknown>,
    options: object | undefined,
    newCollector: (request: JobRequest) => Collector<R>,
  ): Promise<R[]> {
    checkItems(method.spread ? 'argLists' : 'items', items);
    const prepared = this.#prepare(method, fn, items, options);
    const job = prepared instanceof Promise ? await this.#whileAwake(prepared) : prepared;
    const collector = newCollector(job.request);
    const run = this.#runOf(job, items, collector);
    collector.collect(run);
    run.start();
    return this.#whileAwake(collector.promise);
  }

  #stream(
    method: Method,
    fn: AnyTask,
    items: Items<unknown>,
    options: object | undefined,
  ): ResultStream<never> {
    const queue = new OutcomeQueue(this.#keepAlive);
    const begin = (job: PreparedJob): void => {
      const run = this.#runOf(job, items, queue);
      const wanted = queue.stream(run, { ...job.request, settled: job.options.settled ?? false });
      if (wanted) run.start();
    };
    const refuse = (error: unknown): void => queue.ended({ kind: 'stopped', error });
    try {
      checkItems('items', items);
      const job = this.#prepare(method, fn, items, options);
      if (job instanceof Promise) job.then(begin).catch(refuse);
      else begin(job);
    } catch (error) {
      refuse(error);
    }
    return new OutcomeStream(queue) as ResultStream<never>;
  }

  /** The request of a job. Throws, or rejects, before anything has started. */
  #prepare(
    method: Method,
    fn: AnyTask,
    items: Items<unknown>,
    given: object | undefined,
  ): PreparedJob | Promise<PreparedJob> {
    checkJobOptions(method.name, method.kind, typeof fn !== 'function', given);
    if (this.#state === 'terminated') throw new PoolTerminatedError();
    if (this.#state === 'closed') throw new PoolClosedError();
    const options = (given ?? {}) as JobOptions;
    const task = resolveTask(fn, options.export);
    const { retryOn } = options;
    if (typeof retryOn === 'function') {
      return Promise.all([task, resolveTask(retryOn as AnyFunction, undefined)]).then(([ref, predicate]) => {
        if (predicate.kind !== 'inline') throw new TypeError('retryOn has to be an inline function.');
        return this.#jobOf(method, ref, items, options, { source: predicate.source });
      });
    }
    const names = retryOn === undefined ? undefined : { names: retryOn };
    if (task instanceof Promise) return task.then((ref) => this.#jobOf(method, ref, items, options, names));
    return this.#jobOf(method, task, items, options, names);
  }

  #jobOf(
    method: Method,
    task: TaskRef,
    items: Items<unknown>,
    options: JobOptions,
    retryOn: JobRequest['retryOn'],
  ): PreparedJob {
    const maxTasksPerChild = options.maxTasksPerChild ?? this.#options.maxTasksPerChild;
    const concurrent = options.concurrentTasksPerChild ?? this.#options.concurrentTasksPerChild;
    const { timeoutMs, deadlineMs, chunkSize, failFast, priority, bufferSize } = options;
    const { maxResultBytes } = this.#options;
    const totalItems = knownLength(items);
    const request: JobRequest = {
      task,
      encoding: 'v8',
      spread: method.spread,
      ordered: method.ordered,
      chunkSize: chunkSize ?? 'auto',
      retries: retryBudgets(options.retries),
      failFast: failFast ?? false,
      pure: false,
      priority: priority ?? 0,
      labels: {},
      windowItems: bufferSize ?? windowItemsMax,
      ...(totalItems === undefined ? {} : { totalItems }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
      ...(retryOn === undefined ? {} : { retryOn }),
      ...(maxTasksPerChild === undefined ? {} : { maxTasksPerChild }),
      ...(concurrent === undefined ? {} : { concurrentTasksPerChild: concurrent }),
      ...(maxResultBytes === undefined ? {} : { maxResultBytes }),
    };
    return { request, options };
  }

  #runOf(
    { request, options }: PreparedJob,
    items: Items<unknown>,
    consumer: OutcomeConsumer,
    meter?: ProgressMeter,
  ): JobRun {
    const slots = this.#options.processes ?? 8;
    const chunkSize = request.chunkSize === 'auto' ? 1 : request.chunkSize;
    const progress = meter ?? (options.onProgress && new ProgressMeter(options.onProgress, () => run.total));
    const run: JobRun = new JobRun({
      backend: this.#backend,
      request,
      items,
      consumer,
      window: new PullWindow({
        fixed: options.bufferSize,
        // The consumer of a map takes every result at once: there is nothing to find out about it.
        start:
          request.ordered || consumer instanceof OutcomeQueue
            ? Math.max(64, 4 * slots * chunkSize)
            : windowItemsMax,
        max: windowItemsMax,
        nowMs: () => performance.now(),
      }),
      windowBytes: windowBytesMax,
      itemBytesMax: this.#options.maxItemBytes ?? defaultItemBytesMax,
      // Python's bound for a chunk: four for every process.
      blockItemsMax:
        request.totalItems === undefined ? Infinity : Math.ceil(request.totalItems / (4 * slots)),
      print: (print, agent) => {
        if (this.#options.stdio !== 'ignore') this.#printer.write(print, agent);
      },
      progress,
      signal: options.signal,
    });
    return run;
  }

  /** This process does not exit while somebody waits for the promise. */
  async #whileAwake<T>(promise: Promise<T>): Promise<T> {
    this.#keepAlive.hold();
    try {
      return await promise;
    } finally {
      this.#keepAlive.release();
    }
  }
}

function retryBudgets(retries: MapOptions['retries']): JobRequest['retries'] {
  if (retries === undefined) return defaultRetries;
  if (typeof retries === 'number') {
    return { ...defaultRetries, thrown: retries, crash: retries, timeout: retries };
  }
  const given = Object.entries(retries).filter(([, budget]) => budget !== undefined);
  return { ...defaultRetries, ...Object.fromEntries(given) };
}

/** A pool over any backend, with the defaults of its jobs. */
export function surfaceOver(backend: JobBackend, options?: SurfaceOptions): MapPool {
  return new PoolSurface(backend, options);
}
