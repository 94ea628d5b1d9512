import { randomUUID } from 'node:crypto';
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { PoolTerminatedError, ShoalError } from '@shoal/errors';
import type {
  ChildInitializer,
  JobBackend,
  JobRequest,
  JobSink,
  PoolStats,
  RunningJob,
  TaskRef,
} from '@shoal/pool';
import {
  type CreateJobRequest,
  type CreateJobResponse,
  type GroupStats,
  groupStatsOf,
  type HoldGroupResponse,
  type ListAgentsResponse,
  ownPeer,
} from '@shoal/protocol';
import { Bundler } from './bundle/bundler.ts';
import { BundleUploads } from './bundle-upload.ts';
import { ClusterJob, type CreatedJob } from './cluster-job.ts';
import type { Connection } from './connection.ts';
import { JobGate, jobsWithin } from './job-gate.ts';
import {
  type ClusterSetup,
  type JobCode,
  processesOf,
  startsOf,
  wireOptions,
  wireSetup,
  wireTask,
} from './job-messages.ts';
import { allPages } from './pages.ts';
import { isOnTheWay } from './reconnection.ts';

/** What a {@link ClusterBackend} is made of. */
export interface ClusterBackendOptions {
  readonly connection: Connection;
  /** Slots that the jobs of this connection use at once; undefined: all there are. */
  readonly processes: number | undefined;
  readonly setup: ClusterSetup;
  /** Jobs wait for it, and reject with its error. */
  readonly initializer?: ChildInitializer | Promise<ChildInitializer> | undefined;
}

/** How long the coordinator is waited for when the connection ends. */
const farewellMs = 500;

/** The backend of `connect()`: jobs run on the agents of a coordinator. */
export class ClusterBackend implements JobBackend {
  readonly #options: ClusterBackendOptions;
  readonly #groupId: string = randomUUID();
  readonly #bundler = new Bundler();
  readonly #uploads: BundleUploads;
  readonly #gate: JobGate;
  readonly #jobs: Set<ClusterJob> = new Set();
  /** Last words that are on their way: without them the coordinator would keep results for half a minute. */
  readonly #partings: Set<Promise<void>> = new Set();
  #stats: GroupStats = { processes: [], recycled: 0, deaths: 0, unlistedProcesses: 0 };
  #hold: ClientReadableStream<HoldGroupResponse> | undefined;
  #isAsking = false;
  #done = 0;
  #whenNoJobs: (() => void) | undefined;

  constructor(options: ClusterBackendOptions) {
    this.#options = options;
    this.#uploads = new BundleUploads(options.connection);
    this.#gate = new JobGate(jobsWithin(options.connection.streamsMax));
    if (options.initializer instanceof Promise) options.initializer.catch(() => {}); // Each job tells.
    const { closed } = options.connection;
    // Closing a channel leaves its calls alone.
    closed.addEventListener('abort', () => this.#hold?.cancel(), { once: true });
    this.#watch();
    this.#keepProcesses();
    this.#ask();
  }

  open(request: JobRequest, sink: JobSink): RunningJob {
    const job: ClusterJob = new ClusterJob({
      connection: this.#options.connection,
      request,
      sink,
      gate: this.#gate,
      create: (deadlineMs) => this.#create(request, deadlineMs),
      ship: (file) => this.#uploads.ensureBlob(file),
      onStats: (stats) => this.#heard(stats),
      onParting: (word) => this.#remember(word),
      onOver: () => {
        this.#jobs.delete(job);
        this.#done += job.counts.done;
        this.#remember(job.told);
        if (this.#jobs.size === 0) this.#whenNoJobs?.();
      },
    });
    this.#jobs.add(job);
    return job;
  }

  stats(): PoolStats {
    let [queued, running, done] = [0, 0, this.#done];
    for (const { counts } of this.#jobs) {
      queued += counts.queued;
      running += counts.running;
      done += counts.done;
    }
    // What was heard is shown; the next snapshot is as fresh as this one's answer.
    this.#ask();
    const { recycled, deaths, unlistedProcesses: unlisted } = this.#stats;
    // A connection that is gone has no processes, whatever was heard last.
    const processes = this.#options.connection.closed.aborted ? [] : processesOf(this.#stats);
    const isCut = processes.length > 0 && unlisted > 0;
    return {
      processes,
      ...(isCut ? { unlisted } : {}),
      recycled,
      deaths,
      starts: startsOf(this.#stats),
      queued,
      running,
      done,
    };
  }

  async close(): Promise<void> {
    if (this.#jobs.size > 0) {
      await new Promise<void>((resolve) => {
        this.#whenNoJobs = resolve;
      });
    }
    await this.#part([]);
    this.#options.connection.close();
  }

  async terminate(error: Error): Promise<void> {
    // The end of those that run lets nobody in.
    this.#gate.shut();
    await this.#part([...this.#jobs].map((job) => job.abandon(error)));
    this.#options.connection.close(new PoolTerminatedError());
  }

  #remember(word: Promise<void>): void {
    const parting = word.finally(() => this.#partings.delete(parting));
    this.#partings.add(parting);
  }

  /** Waits until the coordinator was told, but not for long. */
  async #part(words: readonly Promise<void>[]): Promise<void> {
    const told = Promise.allSettled([...words, ...this.#partings]);
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, farewellMs);
    await Promise.race([told, late]);
    clearTimeout(timer);
  }

  /** The processes of this connection wait for its next job as long as this stream is open; not longer. */
  #keepProcesses(): void {
    const { connection } = this.#options;
    if (this.#hold !== undefined || connection.closed.aborted) return;
    const hold = connection.jobs.holdGroup({ groupId: this.#groupId });
    this.#hold = hold;
    const lost = (error?: ServiceError): void => {
      if (this.#hold !== hold) return;
      this.#hold = undefined;
      // One that is refused says nothing of the connection, and would be refused after every question.
      if (error !== undefined && !isOnTheWay(connection.errorOf(error))) return;
      // Behind a proxy a coordinator may go whose connection stays.
      this.#doubt();
    };
    // Without it the next job finds new processes, and asks again.
    hold
      .on('data', () => {})
      .on('end', () => lost())
      .on('error', lost);
  }

  /** The coordinator was greeted, and may be another one as soon as that connection is gone, whether or not a job held it. */
  #watch(): void {
    const { broken, closed } = this.#options.connection;
    if (closed.aborted) return;
    if (broken.aborted) this.#doubt();
    else broken.addEventListener('abort', () => this.#doubt(), { once: true });
  }

  /** Whoever is at the other end the next time is greeted before the next job goes in. */
  #doubt(): void {
    const { connection } = this.#options;
    if (connection.closed.aborted) return;
    this.#gate.doubt(async () => {
      const before = connection.broken;
      await connection.greetAgain();
      if (connection.broken !== before) this.#watch();
      this.#keepProcesses();
      return jobsWithin(connection.streamsMax);
    });
  }

  /** What the processes of the agents do: told while a job runs, asked for otherwise. */
  #heard(stats: GroupStats): void {
    this.#stats = stats;
  }

  #ask(): void {
    const { connection } = this.#options;
    if (this.#isAsking || connection.closed.aborted) return;
    this.#isAsking = true;
    const pageAt = (pageToken: string): Promise<ListAgentsResponse> =>
      connection.once<ListAgentsResponse>((...call) =>
        connection.cluster.listAgents({ pageToken, groupId: this.#groupId }, ...call),
      );
    allPages(pageAt, ({ agents }) => agents)
      .then((agents) => this.#heard(groupStatsOf(agents, this.#groupId)))
      .catch(() => {}) // An older snapshot has to do.
      .finally(() => {
        this.#isAsking = false;
      });
  }

  /** Ships the code of a job and creates it. */
  async #create(request: JobRequest, deadlineMs: () => number | undefined): Promise<CreatedJob> {
    const { connection, processes, setup } = this.#options;
    this.#keepProcesses();
    const initializer = await this.#options.initializer;
    const code = await this.#bundle(request.task, initializer?.task);
    const constants = initializer?.broadcasts ?? [];
    const message: Omit<CreateJobRequest, 'options'> = {
      // Chosen here, so that the call can be repeated without a second job.
      requestId: request.requestId ?? randomUUID(),
      client: ownPeer,
      task: wireTask(request.task, code),
      setup: wireSetup(
        setup,
        initializer && {
          task: wireTask(initializer.task, code),
          args: initializer.args,
          broadcastSha256: constants.map(({ sha256 }) => sha256),
          timeoutMs: initializer.timeoutMs ?? 0,
        },
      ),
    };
    const create = async (): Promise<CreatedJob> => {
      if (code !== undefined) await this.#uploads.ensure(code.bundle);
      for (const file of constants) await this.#uploads.ensureBlob(file);
      const options = wireOptions(request, deadlineMs(), { id: this.#groupId, processes });
      const { grantedItems, jobId } = await connection.call<CreateJobResponse>((...call) =>
        connection.jobs.createJob({ ...message, options }, ...call),
      );
      return { id: jobId, grantedItems, code };
    };
    try {
      return await create();
    } catch (error) {
      if (code === undefined || !(error instanceof ShoalError) || error.code !== 'BUNDLE_NOT_FOUND')
        throw error;
      // A coordinator that was restarted, or that made room, has it no more.
      this.#uploads.forget(code.bundle);
      return create();
    }
  }

  /** The code of a job; undefined where everything travels as source text. */
  async #bundle(task: TaskRef, initializer: TaskRef | undefined): Promise<JobCode | undefined> {
    const refs = [task, initializer].filter((ref) => ref !== undefined && ref.kind !== 'inline');
    const [first, second] = refs;
    if (first === undefined) return undefined;
    const { bundle, module, root, tasks } = await this.#bundler.bundle(first, second);
    return { bundle, module, root, places: new Map(refs.map((ref, at) => [ref, tasks[at]])) };
  }
}
