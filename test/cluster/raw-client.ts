import { createHash } from 'node:crypto';
import { serialize } from 'node:v8';
import {
  type ChannelCredentials,
  type ClientDuplexStream,
  credentials,
  type ServiceError,
} from '@grpc/grpc-js';
import {
  AccessServiceClient,
  AgentServiceClient,
  BundleServiceClient,
  ClusterServiceClient,
  CreateJobRequest,
  type CreateJobResponse,
  clientOptions,
  Encoding,
  errorFromStatus,
  type GetJobRequest,
  type GetJobResponse,
  type ItemFailure,
  type JobEnded,
  type JobInfo,
  type JobOptions,
  JobServiceClient,
  Join,
  ownPeer,
  type ReadResultsResponse,
} from '@shoal/protocol';
import { decodeList } from '../../libs/pool/src/values/block-codec.ts';

/** A unary call as a promise; rejects with the error that the server meant. */
export function unary<Request, Response>(
  call: (request: Request, done: (error: ServiceError | null, response: Response) => void) => unknown,
  request: Request,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    call(request, (error, response) => {
      if (error === null) resolve(response);
      else reject(errorFromStatus(error, { address: 'the coordinator' }));
    });
  });
}

/** What a job delivered. */
export interface Delivered {
  readonly values: Map<number, unknown>;
  readonly failures: ItemFailure[];
  readonly prints: string[];
  readonly pids: Set<string>;
  readonly waitingFor: Set<string>;
  ended: JobEnded | undefined;
}

/** Waits for the first message of a stream, and gives it up. */
function firstOf<Request, Response>(call: ClientDuplexStream<Request, Response>): Promise<void> {
  return new Promise((resolve, reject) => {
    call.on('data', () => {
      resolve();
      call.cancel();
    });
    call.on('error', (error: ServiceError) => reject(errorFromStatus(error, { address: 'the coordinator' })));
  });
}

/** A client that speaks the wire and nothing more: what the real one does well is not under test here. */
export class RawClient {
  readonly jobs: JobServiceClient;
  readonly bundles: BundleServiceClient;
  readonly cluster: ClusterServiceClient;
  readonly access: AccessServiceClient;
  readonly agents: AgentServiceClient;

  constructor(address: string, channel: ChannelCredentials = credentials.createInsecure()) {
    this.jobs = new JobServiceClient(address, channel, clientOptions);
    this.bundles = new BundleServiceClient(address, channel, clientOptions);
    this.cluster = new ClusterServiceClient(address, channel, clientOptions);
    this.access = new AccessServiceClient(address, channel, clientOptions);
    this.agents = new AgentServiceClient(address, channel, clientOptions);
  }

  close(): void {
    for (const client of [this.jobs, this.bundles, this.cluster, this.access, this.agents]) client.close();
  }

  /** Joins as an agent; resolves when it is taken in. */
  joinAs(agentName: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
    const call = this.agents.control();
    const join = { ...Join.fromPartial({ agentName, instance: 'raw', slots: 1, agent: ownPeer }), labels };
    call.write({ message: { $case: 'join', value: join } });
    return firstOf(call);
  }

  /** Opens the data stream of a session; resolves when something comes back. */
  dataInto(session: number): Promise<void> {
    const call = this.agents.data();
    call.write({ hello: { session, epoch: 0 }, sequence: 0, reports: [], prints: [] });
    return firstOf(call);
  }

  /** Pushes a bundle; answers with its hash. */
  async putBundle(source: string): Promise<string> {
    const part = Buffer.from(source);
    const sha256 = createHash('sha256').update(part).digest('hex');
    await new Promise<void>((resolve, reject) => {
      const call = this.bundles.putBundle((error) => {
        if (error === null) resolve();
        else reject(errorFromStatus(error, { address: 'the coordinator' }));
      });
      call.write({ message: { $case: 'header', value: { sha256, size: part.byteLength } } });
      call.write({ message: { $case: 'part', value: part } });
      call.end();
    });
    return sha256;
  }

  /** Creates a job that calls an export of a bundle. */
  async createJob(
    sha256: string,
    name: string,
    options: Partial<JobOptions> = {},
    requestId = '',
  ): Promise<string> {
    const { jobId } = await unary<CreateJobRequest, CreateJobResponse>(
      (request, done) => this.jobs.createJob(request, done),
      CreateJobRequest.fromPartial({
        requestId,
        task: { name, function: { $case: 'moduleExport', value: { bundleSha256: sha256, export: name } } },
        options: { encoding: Encoding.V8, ...options },
      } as CreateJobRequest),
    );
    return jobId;
  }

  /** Where a job stands. */
  async info(jobId: string): Promise<JobInfo | undefined> {
    const { job } = await unary<GetJobRequest, GetJobResponse>(
      (request, done) => this.jobs.getJob(request, done),
      { jobId },
    );
    return job;
  }

  /** Pushes items in v8 blocks, as fast as the stream takes them, and ends the input. */
  async push(jobId: string, items: readonly unknown[], blockItems = 100): Promise<number> {
    return new Promise((resolve, reject) => {
      const call = this.jobs.pushItems((error, response) => {
        if (error !== null) reject(errorFromStatus(error, { address: 'the coordinator' }));
        else resolve(response.acceptedItems);
      });
      call.write({ message: { $case: 'start', value: { jobId, firstIndex: 0, clientSession: '' } } });
      for (let first = 0; first < items.length; first += blockItems) {
        const values = items.slice(first, first + blockItems);
        const payload = serialize(values);
        const block = {
          first,
          count: values.length,
          payload,
          more: false,
          totalBytes: 0,
          broadcastSha256: [],
        };
        call.write({ message: { $case: 'block', value: block } });
      }
      call.write({ message: { $case: 'endOfInput', value: { totalItems: items.length } } });
      call.end();
    });
  }

  /** Reads to the end of the job, acknowledging each batch. */
  read(
    jobId: string,
    fromPosition = 0,
    onMessage: (soFar: Delivered) => void = () => {},
  ): Promise<Delivered> {
    const delivered: Delivered = {
      values: new Map(),
      failures: [],
      prints: [],
      pids: new Set(),
      waitingFor: new Set(),
      ended: undefined,
    };
    let position = fromPosition;
    return new Promise((resolve, reject) => {
      const call = this.jobs.readResults({ jobId, fromPosition, clientSession: '' });
      let parts: Uint8Array[] = [];
      call.on('data', ({ message }: ReadResultsResponse) => {
        if (message?.$case === 'batch') {
          for (const { outcome } of message.value.outcomes) {
            if (outcome?.$case === 'failure') {
              delivered.failures.push(outcome.value);
              position += 1;
            } else if (outcome?.$case === 'run') {
              const { first, count, payload, payloadSkip, more, pid, agent } = outcome.value;
              parts.push(payload);
              if (more) continue;
              const values = decodeList(Buffer.concat(parts), payloadSkip, count);
              parts = [];
              for (let at = 0; at < count; at += 1) delivered.values.set(first + at, values[at]);
              delivered.pids.add(`${agent} ${pid}`);
              position += count;
            }
          }
          this.jobs.acknowledgeResults({ jobId, position, clientSession: '' }, () => {});
        } else if (message?.$case === 'print') {
          const { agent, index, text } = message.value;
          delivered.prints.push(`${agent} ${index} ${text}`);
        } else if (message?.$case === 'progress') {
          if (message.value.waitingFor !== '') delivered.waitingFor.add(message.value.waitingFor);
        } else if (message?.$case === 'ended') delivered.ended = message.value;
        onMessage(delivered);
      });
      call.on('error', (error: ServiceError) =>
        reject(errorFromStatus(error, { address: 'the coordinator' })),
      );
      call.on('end', () => resolve(delivered));
    });
  }
}
