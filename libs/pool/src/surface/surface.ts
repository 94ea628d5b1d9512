/**
 * The methods of a pool, once for every backend: what `new Pool()` and `connect()` return.
 *
 *   arguments -> JobOpener: PreparedJob -> JobRun -> collector (map) | queue (imap)
 */
import { PoolClosedError, PoolTerminatedError, ShoalError } from '@shoal/errors';
import type { BlobFile } from '../child-pool/chunk-request.ts';
import type { JobBackend, PoolStats } from '../job-backend.ts';
import type { Items, MapPool, ResultStream, Settled } from '../map-pool.ts';
import { wrongType } from '../options/option-checks.ts';
import type { MapProgress, SubmitOptions } from '../options/options.ts';
import type { Broadcast } from '../values/broadcast.ts';
import { neverTravels } from '../values/portable.ts';
import { Arrivals } from './arrivals.ts';
import { CallSite } from './call-site.ts';
import { DrainWatch, defaultUnreadMs } from './drain-watch.ts';
import { GivenPromises } from './given-promises.ts';
import { asItIs, knownLength } from './input-puller.ts';
import { type Job, JobHandle } from './job.ts';
import { JobListeners } from './job-events.ts';
import {
  type AnyTask,
  JobOpener,
  type MethodCall,
  type PreparedJob,
  type SurfaceOptions,
} from './job-opener.ts';
import type { JobEnd, JobRun } from './job-run.ts';
import { KeepAlive } from './keep-alive.ts';
import { type Collector, MapCollector, SettledCollector } from './map-collector.ts';
import { type Method, methods } from './method.ts';
import { OutcomeQueue, OutcomeStream } from './outcome-stream.ts';
import { PoolBroadcasts } from './pool-broadcasts.ts';
import { ProgressMeter } from './progress-meter.ts';
import { RequestIds } from './request-ids.ts';
import { callUser } from './user-callback.ts';

export type { SurfaceOptions } from './job-opener.ts';

const defaultBroadcastBytesMax = 1024 ** 3;

const newMapCollector = ({ request, call }: PreparedJob): MapCollector =>
  new MapCollector({ ...request, site: call.site });

const newSettledCollector = ({ request, call }: PreparedJob): SettledCollector =>
  new SettledCollector({ ...request, site: call.site });

/** What `submit` has of its own. */
interface SubmittedParts {
  readonly progress: ProgressMeter;
  readonly listeners: JobListeners;
}

interface StartedJob {
  readonly prepared: PreparedJob;
  readonly run: JobRun;
  readonly results: Promise<unknown[]>;
  readonly submitted: SubmittedParts | undefined;
}

/** The one implementation of {@link MapPool}, over any backend. */
export class PoolSurface implements MapPool {
  readonly #backend: JobBackend;
  readonly #opener: JobOpener;
  readonly #onDispose: SurfaceOptions['onDispose'];
  readonly #unreadStreamMs: number;
  readonly #keepAlive = new KeepAlive();
  readonly #requests: RequestIds<StartedJob> = new RequestIds();
  readonly #arrivals = new Arrivals();
  readonly #broadcasts: PoolBroadcasts;
  readonly #given = new GivenPromises();
  /** Those whose jobs are not over; they may not have begun either. */
  readonly #streams: Set<OutcomeQueue> = new Set();
  #state: 'open' | 'closed' | 'terminated' = 'open';
  #gone: Promise<void> | undefined;
  /** The end of the first disposal that terminates. */
  #disposed: Promise<void> | undefined;

  /** `kept`: constants that every child needs, as long as the pool lives. */
  constructor(backend: JobBackend, options: SurfaceOptions = {}, kept: readonly BlobFile[] = []) {
    this.#backend = backend;
    this.#opener = new JobOpener(backend, options);
    this.#onDispose = options.onDispose;
    this.#unreadStreamMs = options.unreadStreamMs ?? defaultUnreadMs;
    this.#broadcasts = new PoolBroadcasts(options.maxBroadcastBytes ?? defaultBroadcastBytesMax, kept);
  }

  map(fn: AnyTask, items: Items<unknown>, options?: object): Promise<never[]> {
    const call = callOf(methods.map, fn, items, options);
    return this.#given.give(this.#collect(call, newMapCollector)) as Promise<never[]>;
  }

  starmap(fn: AnyTask, argLists: Items<unknown>, options?: object): Promise<never[]> {
    const call = callOf(methods.starmap, fn, argLists, options);
    return this.#given.give(this.#collect(call, newMapCollector)) as Promise<never[]>;
  }

  apply(fn: AnyTask, args: readonly unknown[], options?: object): Promise<never> {
    const call = callOf(methods.apply, fn, [asItIs(args)], options);
    return this.#given.give(this.#apply(call, args)) as Promise<never>;
  }

  mapSettled(fn: AnyTask, items: Items<unknown>, options?: object): Promise<Settled<never>[]> {
    const call = callOf(methods.mapSettled, fn, items, options);
    return this.#given.give(this.#collect(call, newSettledCollector)) as Promise<Settled<never>[]>;
  }

  imap(fn: AnyTask, items: Items<unknown>, options?: object): ResultStream<never> {
    return this.#stream(callOf(methods.imap, fn, items, options));
  }

  imapUnordered(fn: AnyTask, items: Items<unknown>, options?: object): ResultStream<never> {
    return this.#stream(callOf(methods.imapUnordered, fn, items, options));
  }

  submit(fn: AnyTask, items: Items<unknown>, options?: object): Job<never> {
    const call = callOf(methods.submit, fn, items, options);
    const settle = Promise.withResolvers<unknown[]>();
    let run: JobRun | undefined;
    let refused = false;
    const listeners = new JobListeners();
    // Callbacks are looked at before any of them can be called: what is no function rejects the job. They are called of one that
    // is refused, too.
    const tell = (name: keyof SubmitOptions<never>, value: unknown): void => {
      const callback = call.given[name];
      if (typeof callback === 'function') callUser(name, () => callback(value));
    };
    const toldProgress = (now: MapProgress): void => {
      tell('onProgress', now);
      listeners.tell('progress', now);
    };
    const progress = new ProgressMeter(toldProgress, () => run?.total ?? knownLength(call.items));
    // Another one where the same request has a job already.
    let meter = progress;
    const begin = async (): Promise<void> => {
      const job = await this.#prepared(call);
      // Looked at again after the await: cancel() or terminate() may have been called.
      if (refused) return;
      this.#checkNotTerminated(call);
      const started = this.#start(job, newMapCollector, { progress, listeners });
      run = started.run;
      if (started.submitted !== undefined && started.submitted.listeners !== listeners) {
        meter = started.submitted.progress;
        started.submitted.listeners.add('progress', toldProgress);
      }
      started.results.then(settle.resolve, lost);
    };
    const lost = (error: unknown): void => settle.resolve(this.#rejected(error));
    this.#arriving(begin()).catch(lost);
    this.#whileAwake(settle.promise).catch(() => {});
    const outcome = settle.promise;
    outcome.then(
      (results) => tell('onSuccess', results),
      (error) => tell('onError', error),
    );
    const handle = new JobHandle({
      outcome,
      given: this.#given,
      progress: {
        get now() {
          return meter.now;
        },
      },
      site: call.site,
      listeners,
      run: () => run,
      refuse: (error) => {
        refused = true;
        settle.reject(error);
      },
    });
    return handle as unknown as Job<never>;
  }

  broadcast<T>(value: T): Broadcast<T> {
    this.#checkOpen();
    return this.#broadcasts.create(value);
  }

  close(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closed';
    const none = this.#arrivals.whenNone();
    this.#gone = none === undefined ? this.#backend.close() : none.then(() => this.#backend.close());
    this.#whenGone(this.#gone);
  }

  async terminate(): Promise<void> {
    if (this.#state !== 'terminated') {
      this.#state = 'terminated';
      this.#gone = this.#backend.terminate(new PoolTerminatedError());
      this.#whenGone(this.#gone);
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
    this.#given.leave();
    for (const stream of this.#streams) stream.leave();
    if (this.#onDispose === 'drain') {
      this.close();
      using _ = new DrainWatch(this.#streams, this.#unreadStreamMs);
      await this.join();
    } else {
      const disposed = Promise.withResolvers<void>();
      this.#disposed ??= disposed.promise;
      await this.terminate();
      disposed.resolve();
    }
  }

  /**
   * Rejects, during a disposal that terminates only as that ends. The promises of this pool may reject before, but not what
   * a block makes of them: `return total(pool)` hands on one that rejects as `pool.map(…)` inside does, and that nobody can
   * have looked at before. A disposal that drains may have to wait for whoever is to hear of it, so there it is told at once.
   */
  async #rejected(error: unknown): Promise<never> {
    await this.#disposed;
    throw error;
  }

  #whenGone(gone: Promise<void>): void {
    const release = (): void => this.#broadcasts.releaseAll();
    gone.then(release, release);
  }

  async #apply(call: MethodCall, args: unknown): Promise<unknown> {
    if (!Array.isArray(args)) throw call.site.of(wrongType('args', 'an array of the arguments', args));
    const results = await this.#collect(call, newMapCollector);
    return results[0];
  }

  async #collect<R>(call: MethodCall, newCollector: (job: PreparedJob) => Collector<R>): Promise<R[]> {
    const begin = (job: PreparedJob): StartedJob => {
      this.#checkNotTerminated(call);
      return this.#start(job, newCollector);
    };
    try {
      const job = this.#prepared(call);
      const started = job instanceof Promise ? await this.#arriving(job.then(begin)) : begin(job);
      return (await this.#whileAwake(started.results)) as R[];
    } catch (error) {
      return this.#rejected(error);
    }
  }

  /** Starts a job, or finds the one that the same request started before. */
  #start(
    job: PreparedJob,
    newCollector: (job: PreparedJob) => Collector<unknown>,
    submitted?: SubmittedParts,
  ): StartedJob {
    const { call, request } = job;
    const start = (): StartedJob => {
      const collector = newCollector(job);
      const onOver = (end: JobEnd | undefined): void => this.#requests.ended(request, end);
      const run = this.#opener.run(job, collector, onOver, submitted?.progress);
      collector.collect(run);
      run.start();
      return { prepared: job, run, results: collector.promise, submitted };
    };
    try {
      const started = this.#requests.once(job, start);
      if (started.prepared === job) return started;
      // Each caller may do with its array what it likes.
      const results = started.results.then((values) => [...values]);
      return { ...started, results: unlessAborted(results, job.options.signal) };
    } catch (error) {
      throw call.site.of(error);
    }
  }

  /** Waits for a job on its way to the backend: neither close() nor the end of this process overtakes it. */
  async #arriving<T>(begun: Promise<T>): Promise<T> {
    this.#arrivals.expect();
    try {
      return await this.#whileAwake(begun);
    } finally {
      this.#arrivals.arrived();
    }
  }

  #stream(call: MethodCall): ResultStream<never> {
    const queue = new OutcomeQueue(this.#keepAlive, this.#given, (error) => this.#rejected(error));
    this.#streams.add(queue);
    const begin = (job: PreparedJob): void => {
      this.#checkNotTerminated(call);
      const { settled = false } = job.options;
      const start = (): StartedJob => {
        const onOver = (end: JobEnd | undefined): void => {
          this.#streams.delete(queue);
          this.#requests.ended(job.request, end);
        };
        const run = this.#opener.run(job, queue, onOver);
        const wanted = queue.stream(run, { ...job.request, site: call.site, settled });
        if (wanted) run.start();
        else this.#streams.delete(queue);
        return { prepared: job, run, results: Promise.resolve([]), submitted: undefined };
      };
      try {
        this.#requests.once(job, start);
      } catch (error) {
        throw call.site.of(error);
      }
    };
    const refuse = (error: unknown): void => {
      this.#streams.delete(queue);
      queue.ended({ kind: 'stopped', error });
    };
    try {
      const job = this.#prepared(call);
      if (job instanceof Promise) this.#arriving(job.then(begin)).catch(refuse);
      else begin(job);
    } catch (error) {
      refuse(error);
    }
    return new OutcomeStream(queue) as ResultStream<never>;
  }

  /** The job of a call. Throws, or rejects, before anything has started. */
  #prepared(call: MethodCall): PreparedJob | Promise<PreparedJob> {
    const refuse = (error: unknown): never => {
      throw call.site.of(error);
    };
    try {
      const job = this.#opener.prepare(call, () => this.#checkOpen());
      return job instanceof Promise ? job.catch(refuse) : job;
    } catch (error) {
      return refuse(error);
    }
  }

  /** Looked at again once a job is prepared: terminate() may have run meanwhile. */
  #checkNotTerminated({ site }: MethodCall): void {
    if (this.#state === 'terminated') throw site.of(new PoolTerminatedError());
  }

  #checkOpen(): void {
    if (this.#state === 'terminated') throw new PoolTerminatedError();
    if (this.#state === 'closed') throw new PoolClosedError();
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

/** A job's results, or the reason of a signal that aborts before they are there; the job goes on. */
async function unlessAborted<T>(results: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return results;
  const { promise, reject } = Promise.withResolvers<never>();
  const aborted = (): void => reject(signal.reason);
  if (signal.aborted) aborted();
  signal.addEventListener('abort', aborted, { once: true });
  try {
    return await Promise.race([results, promise]);
  } finally {
    signal.removeEventListener('abort', aborted);
  }
}

neverTravels(PoolSurface.prototype, 'pool');
neverTravels(JobHandle.prototype, 'job');
neverTravels(OutcomeStream.prototype, 'stream of results');

function callOf(method: Method, fn: AnyTask, items: Items<unknown>, options: object | undefined): MethodCall {
  const site = new CallSite(PoolSurface.prototype[method.name]);
  // As they are now: the caller may go on to fill the same list for its next call.
  return { method, fn, items: asItIs(items), options, given: {}, site };
}

/** A pool over any backend, with the defaults of its jobs. */
export function surfaceOver(
  backend: JobBackend,
  options?: SurfaceOptions,
  kept?: readonly BlobFile[],
): MapPool {
  return new PoolSurface(backend, options, kept);
}
