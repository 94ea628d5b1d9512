import {
  ServerCredentials,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { ShoalError } from '@shoal/errors';
import {
  BundleServiceService,
  ClusterServiceService,
  type CreateJobRequest,
  createServer,
  GetStatusResponse,
  type JobEnded,
  JobInfo,
  JobServiceService,
  JobState,
  ownPeer,
  type Peer,
  type PushItemsRequest,
  type PushItemsResponse,
  type PutBundleRequest,
  type PutBundleResponse,
  type ReadResultsRequest,
  type ReadResultsResponse,
  type ShoalServer,
  statusOf,
} from '@shoal/protocol';
import { FakeJob, type FakeJobHooks, takeItems } from './fake-job.testkit.ts';
import { FakeWire } from './fake-wire.testkit.ts';

type Call<Request, Response> = ServerUnaryCall<Request, Response>;

/** A coordinator with one agent that is infinitely fast, behind a {@link FakeWire}. */
export class FakeCoordinator implements AsyncDisposable, FakeJobHooks {
  readonly jobs: FakeJob[] = [];
  readonly bundles: Map<string, Uint8Array> = new Map();
  /** Names of the calls that came, in order. */
  readonly calls: string[] = [];
  peer: Peer = ownPeer;
  /** What it says of the calls that a connection may have open; 0: nothing. */
  streamsMax = 0;
  /** How many items it grants when it creates a job. */
  firstGrant = 0;
  grantsToReaders = true;
  /** Called for every unary call that was done, before its answer goes out. */
  onDone: (call: string) => void = () => {};
  /** Why it knows a job no more; empty: it does not know. */
  givenUpFor: string = '';
  onBlock: (job: FakeJob, first: number) => void = () => {};
  ending: (job: FakeJob) => JobEnded = ({ accepted }) => ({
    state: JobState.COMPLETED,
    succeeded: accepted,
    failed: 0,
  });
  readonly #server: ShoalServer;
  wire!: FakeWire;

  private constructor() {
    this.#server = createServer([
      { definition: JobServiceService, handlers: this.#jobHandlers() },
      { definition: BundleServiceService, handlers: this.#bundleHandlers() },
      { definition: ClusterServiceService, handlers: this.#clusterHandlers() },
    ]);
  }

  static async start(): Promise<FakeCoordinator> {
    const fake = new FakeCoordinator();
    fake.wire = await FakeWire.to(
      await fake.#server.listen('127.0.0.1:0', ServerCredentials.createInsecure()),
    );
    return fake;
  }

  get address(): string {
    return this.wire.address;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.wire[Symbol.asyncDispose]();
    await this.#server.close(0);
  }

  #find(jobId: string): FakeJob {
    const job = this.jobs.find(({ id }) => id === jobId);
    if (job === undefined) {
      const reason = this.givenUpFor === '' ? {} : { reason: this.givenUpFor };
      throw new ShoalError('JOB_NOT_FOUND', { job: jobId, ...reason });
    }
    return job;
  }

  /** Answers a unary call, or fails it with what is thrown. */
  #unary<Request, Response>(name: string, answer: (request: Request) => Response) {
    return (call: Call<Request, Response>, respond: sendUnaryData<Response>): void => {
      this.calls.push(name);
      try {
        const response = answer(call.request);
        this.onDone(name);
        respond(null, response);
      } catch (error) {
        respond(statusOf(error));
      }
    };
  }

  #clusterHandlers() {
    return {
      getStatus: this.#unary('getStatus', () =>
        GetStatusResponse.fromPartial({ coordinator: this.peer, maxStreamsPerConnection: this.streamsMax }),
      ),
      listAgents: this.#unary('listAgents', () => ({ agents: [], nextPageToken: '' })),
      drainAgent: this.#unary('drainAgent', () => ({})),
      resumeAgent: this.#unary('resumeAgent', () => ({})),
      watchEvents: () => {},
    };
  }

  #bundleHandlers() {
    return {
      hasBundles: this.#unary('hasBundles', ({ sha256 }: { sha256: string[] }) => ({
        missingSha256: sha256.filter((each) => !this.bundles.has(each)),
      })),
      putBundle: (
        call: ServerReadableStream<PutBundleRequest, PutBundleResponse>,
        respond: sendUnaryData<PutBundleResponse>,
      ): void => {
        this.calls.push('putBundle');
        const parts: Uint8Array[] = [];
        let sha256 = '';
        call.on('data', ({ message }: PutBundleRequest) => {
          if (message?.$case === 'header') sha256 = message.value.sha256;
          if (message?.$case === 'part') parts.push(message.value);
        });
        call.on('end', () => {
          this.bundles.set(sha256, Buffer.concat(parts));
          respond(null, { existed: false });
        });
      },
      getBundle: () => {},
      nameBundle: this.#unary('nameBundle', () => ({ bundle: '' })),
      listBundles: this.#unary('listBundles', () => ({ bundles: [] })),
    };
  }

  #jobHandlers() {
    return {
      createJob: this.#unary('createJob', (request: CreateJobRequest) => {
        const known = this.jobs.find(({ request: { requestId } }) => requestId === request.requestId);
        const source = request.task?.function;
        if (source?.$case === 'moduleExport' && !this.bundles.has(source.value.bundleSha256)) {
          throw new ShoalError('BUNDLE_NOT_FOUND', { bundle: source.value.bundleSha256 });
        }
        const job = known ?? new FakeJob(`job-${this.jobs.length + 1}`, request, this);
        if (job !== known) this.jobs.push(job);
        return {
          jobId: job.id,
          coordinator: this.peer,
          maxItemBytes: 2 ** 26,
          maxMessageBytes: 2 ** 22,
          grantedItems: this.firstGrant,
        };
      }),
      pushItems: (
        call: ServerReadableStream<PushItemsRequest, PushItemsResponse>,
        respond: sendUnaryData<PushItemsResponse>,
      ): void => {
        this.calls.push('pushItems');
        takeItems(call, respond, (jobId) => this.#find(jobId));
      },
      readResults: (call: ServerWritableStream<ReadResultsRequest, ReadResultsResponse>): void => {
        this.calls.push('readResults');
        try {
          this.#find(call.request.jobId).read(call);
        } catch (error) {
          call.emit('error', statusOf(error));
        }
      },
      acknowledgeResults: this.#unary(
        'acknowledgeResults',
        ({ jobId, position }: { jobId: string; position: number }) => {
          this.#find(jobId).acknowledge(position);
          return {};
        },
      ),
      getJob: this.#unary('getJob', ({ jobId }: { jobId: string }) => {
        const { accepted, id, inputEnded } = this.#find(jobId);
        return { job: JobInfo.fromPartial({ jobId: id, acceptedItems: accepted, inputEnded }) };
      }),
      listJobs: this.#unary('listJobs', () => ({ jobs: [], nextPageToken: '' })),
      watchJob: () => {},
      holdGroup: () => {},
      cancelJob: this.#unary('cancelJob', ({ jobId, reason }: { jobId: string; reason: string }) => {
        const error = { code: 'JOB_CANCELLED', facts: { reason }, message: '', error: new Uint8Array() };
        this.#find(jobId).endWith({ state: JobState.CANCELLED, succeeded: 0, failed: 0, error });
        return {};
      }),
      map: () => {},
    };
  }
}

/** Waits until a condition holds, or fails with what was waited for. */
export async function until(what: string, holds: () => boolean, withinMs: number = 30_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`Not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
