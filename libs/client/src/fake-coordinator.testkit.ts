import { once } from 'node:events';
import { createServer as createTcpServer, type Server, type Socket, connect as tcpConnect } from 'node:net';
import v8 from 'node:v8';
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
  type Outcome,
  ownPeer,
  type Peer,
  type PushItemsRequest,
  type PushItemsResponse,
  type PutBundleRequest,
  type PutBundleResponse,
  type ReadResultsRequest,
  type ReadResultsResponse,
  ResultRun,
  type ShoalServer,
  statusOf,
} from '@shoal/protocol';

type Call<Request, Response> = ServerUnaryCall<Request, Response>;

/** A job of the fake: every item's result is the item plus one. */
interface FakeJob {
  readonly id: string;
  readonly request: CreateJobRequest;
  accepted: number;
  inputEnded: boolean;
  /** Runs, with the position of their first outcome. */
  readonly outcomes: { position: number; count: number; outcome: Outcome }[];
  acknowledged: number;
  delivered: number;
  end: JobEnded | undefined;
  reader: ServerWritableStream<ReadResultsRequest, ReadResultsResponse> | undefined;
}

/** A coordinator with one agent that is infinitely fast, behind a wire that can be cut. */
export class FakeCoordinator implements AsyncDisposable {
  readonly jobs: FakeJob[] = [];
  readonly bundles: Map<string, Uint8Array> = new Map();
  /** Names of the calls that came, in order. */
  readonly calls: string[] = [];
  peer: Peer = ownPeer;
  /** What it says of the calls that a connection may have open; 0: nothing. */
  streamsMax = 0;
  /** How many items it grants when it creates a job. */
  firstGrant = 0;
  /** It grants items on the stream of results, as it always did. */
  grantsToReaders = true;
  /** Called for every unary call that was done, before its answer goes out. */
  onDone: (call: string) => void = () => {};
  /** Why it knows a job no more; empty: it does not know. */
  givenUpFor: string = '';
  /** Called for every block, before it is accepted. */
  onBlock: (job: FakeJob, first: number) => void = () => {};
  /** Makes the ending of a job whose input has ended and whose outcomes are all out. */
  ending: (job: FakeJob) => JobEnded = ({ accepted }) => ({
    state: JobState.COMPLETED,
    succeeded: accepted,
    failed: 0,
  });
  /** Connections that somebody began, those that were refused too. */
  attempts = 0;
  readonly #server: ShoalServer;
  readonly #wire: Server;
  readonly #sockets: Set<Socket> = new Set();
  #grpcPort = 0;
  #listening = true;
  #isSilent = false;

  private constructor() {
    this.#server = createServer([
      { definition: JobServiceService, handlers: this.#jobHandlers() },
      { definition: BundleServiceService, handlers: this.#bundleHandlers() },
      { definition: ClusterServiceService, handlers: this.#clusterHandlers() },
    ]);
    this.#wire = createTcpServer((socket) => this.#accept(socket));
  }

  static async start(): Promise<FakeCoordinator> {
    const fake = new FakeCoordinator();
    fake.#grpcPort = await fake.#server.listen('127.0.0.1:0', ServerCredentials.createInsecure());
    fake.#wire.listen(0, '127.0.0.1');
    await once(fake.#wire, 'listening');
    return fake;
  }

  get address(): string {
    const at = this.#wire.address();
    return typeof at === 'object' && at !== null ? `127.0.0.1:${at.port}` : '';
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Breaks every connection; with `refuse` no new one comes through until `mend()`. */
  cut({ refuse = false }: { readonly refuse?: boolean } = {}): void {
    this.#listening = !refuse;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** From now on it takes everything and says nothing, on whatever connection. */
  fallSilent(): void {
    this.#isSilent = true;
  }

  mend(): void {
    this.#listening = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut({ refuse: true });
    this.#wire.close();
    await this.#server.close(0);
  }

  #accept(socket: Socket): void {
    this.attempts += 1;
    if (!this.#listening) {
      socket.destroy();
      return;
    }
    const inner = tcpConnect(this.#grpcPort, '127.0.0.1');
    this.#sockets.add(socket);
    socket.pipe(inner);
    inner.on('data', (bytes) => {
      if (!this.#isSilent) socket.write(bytes);
    });
    for (const [one, other] of [
      [socket, inner],
      [inner, socket],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => {
        other.destroy();
        this.#sockets.delete(socket);
      });
    }
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
      listAgents: this.#unary('listAgents', () => ({ agents: [] })),
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
        const job = known ?? this.#newJob(request);
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
      ): void => this.#take(call, respond),
      readResults: (call: ServerWritableStream<ReadResultsRequest, ReadResultsResponse>): void => {
        this.calls.push('readResults');
        try {
          const job = this.#find(call.request.jobId);
          job.reader = call;
          job.delivered = call.request.fromPosition;
          call.on('cancelled', () => {
            if (job.reader === call) job.reader = undefined;
          });
          this.#grant(job);
          this.#deliver(job);
        } catch (error) {
          call.emit('error', statusOf(error));
        }
      },
      acknowledgeResults: this.#unary(
        'acknowledgeResults',
        ({ jobId, position }: { jobId: string; position: number }) => {
          const job = this.#find(jobId);
          job.acknowledged = Math.max(job.acknowledged, position);
          this.#grant(job);
          return {};
        },
      ),
      getJob: this.#unary('getJob', ({ jobId }: { jobId: string }) => {
        const { accepted, id, inputEnded } = this.#find(jobId);
        return { job: JobInfo.fromPartial({ jobId: id, acceptedItems: accepted, inputEnded }) };
      }),
      listJobs: this.#unary('listJobs', () => ({ jobs: [] })),
      watchJob: () => {},
      holdGroup: () => {},
      cancelJob: this.#unary('cancelJob', ({ jobId, reason }: { jobId: string; reason: string }) => {
        const job = this.#find(jobId);
        const error = { code: 'JOB_CANCELLED', facts: { reason }, message: '', error: new Uint8Array() };
        job.end ??= { state: JobState.CANCELLED, succeeded: 0, failed: 0, error };
        this.#deliver(job);
        return {};
      }),
      map: () => {},
    };
  }

  #newJob(request: CreateJobRequest): FakeJob {
    const job: FakeJob = {
      id: `job-${this.jobs.length + 1}`,
      request,
      accepted: 0,
      inputEnded: false,
      outcomes: [],
      acknowledged: 0,
      delivered: 0,
      end: undefined,
      reader: undefined,
    };
    this.jobs.push(job);
    return job;
  }

  #take(
    call: ServerReadableStream<PushItemsRequest, PushItemsResponse>,
    respond: sendUnaryData<PushItemsResponse>,
  ): void {
    this.calls.push('pushItems');
    let job: FakeJob | undefined;
    let parts: Uint8Array[] = [];
    let over = false;
    const finish = (error?: unknown): void => {
      if (over) return;
      over = true;
      if (error === undefined) respond(null, { acceptedItems: job?.accepted ?? 0 });
      else respond(statusOf(error));
    };
    call.on('error', () => {});
    call.on('data', ({ message }: PushItemsRequest) => {
      if (over) return;
      try {
        if (message?.$case === 'start') {
          job = this.#find(message.value.jobId);
          const { firstIndex } = message.value;
          const facts = { job: job.id, next: job.accepted, index: firstIndex };
          if (firstIndex !== job.accepted) throw new ShoalError('ITEMS_OUT_OF_STEP', facts);
        }
        if (message?.$case === 'block' && job !== undefined) {
          const { count, first, more, payload } = message.value;
          parts.push(payload);
          if (more) return;
          const bytes = Buffer.concat(parts);
          parts = [];
          this.onBlock(job, first);
          if (first !== job.accepted) throw new ShoalError('INTERNAL', { reason: `gap at ${first}` });
          job.accepted += count;
          const values = (v8.deserialize(bytes) as number[]).map((value) => value + 1);
          const run = ResultRun.fromPartial({ first, count, payload: v8.serialize(values) });
          job.outcomes.push({ position: first, count, outcome: { outcome: { $case: 'run', value: run } } });
          this.#deliver(job);
        }
        if (message?.$case === 'endOfInput' && job !== undefined) {
          if (message.value.totalItems !== job.accepted)
            throw new ShoalError('INTERNAL', { reason: 'lost items' });
          job.inputEnded = true;
          this.#deliver(job);
          finish();
        }
      } catch (error) {
        finish(error);
      }
    });
  }

  #grant(job: FakeJob): void {
    if (!this.grantsToReaders) return;
    const upTo = job.acknowledged + (job.request.options?.windowItems ?? 0);
    job.reader?.write({ message: { $case: 'granted', value: { upTo } } });
  }

  #deliver(job: FakeJob): void {
    for (const { count, outcome, position } of job.outcomes) {
      if (job.reader === undefined || position < job.delivered) continue;
      job.delivered = position + count;
      job.reader.write({ message: { $case: 'batch', value: { position, outcomes: [outcome] } } });
    }
    if (job.inputEnded && job.outcomes.every(({ position }) => position < job.delivered)) {
      job.end ??= this.ending(job);
    }
    if (job.end === undefined || job.reader === undefined) return;
    job.reader.write({ message: { $case: 'ended', value: job.end } });
    job.reader.end();
    job.reader = undefined;
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
