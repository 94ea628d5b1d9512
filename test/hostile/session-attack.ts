import { once } from 'node:events';
import { Client, type ClientDuplexStream, credentials, type ServiceError } from '@grpc/grpc-js';
import type { ShoalError } from '@shoal/errors';
import {
  AgentServiceService,
  ControlRequest,
  ControlResponse,
  clientOptions,
  DataRequest,
  DataResponse,
  type Dispatch,
  errorFromStatus,
  FailureKind,
  Heartbeat,
  Join,
  ownPeer,
} from '@shoal/protocol';
import type { Random } from '../simulation/random.ts';
import { messageBytes } from './message-bytes.ts';
import { canRead, mostlyReadable } from './mutation.ts';

const asIs = (bytes: Buffer): Buffer => bytes;
/** Until it has work. */
const workWithinMs = 30_000;
/** Until what it says has an answer: what can be true has none. */
const patienceMs = 300;
const framesPerSession = 12;

/** Agents that join as they should, take work, and then speak of it in mutated frames. */
export class SessionAttack {
  readonly #client: Client;
  readonly #random: Random;
  readonly #name: string;
  /** Frames that were sent in sessions that held work. */
  sent = 0;
  /** Sessions that held work. */
  sessions = 0;
  /** What their streams ended with, by the code of the error. */
  readonly endings: Map<string, ShoalError[]> = new Map();

  /** Every session has a name of its own, which begins with `name`: what comes and goes is given no work for a while. */
  constructor(address: string, random: Random, name: string) {
    this.#client = new Client(address, credentials.createInsecure(), clientOptions);
    this.#random = random;
    this.#name = name;
  }

  /** Goes on until so many frames are sent, or until `over`: there is no work any more. */
  async run(frames: number, over: Promise<unknown>): Promise<void> {
    for (let session = 1; this.sent < frames; session += 1) {
      if (!(await this.#session(`${this.#name}-${session}`, over))) break;
    }
    this.#client.close();
  }

  /** Answers with whether it was given work. */
  async #session(agentName: string, over: Promise<unknown>): Promise<boolean> {
    const { control: controlPath, data: dataPath } = AgentServiceService;
    const control = this.#open(controlPath.path, ControlResponse.decode);
    const data = this.#open(dataPath.path, DataResponse.decode);
    const given = new Promise<Dispatch>((resolve) => {
      data.on('data', ({ dispatches: [first] }: DataResponse) => first && resolve(first));
    });
    control.on('data', ({ message }: ControlResponse) => {
      if (message?.$case !== 'joined') return;
      const { epoch, session } = message.value;
      data.write(messageBytes(DataRequest, { hello: { session, epoch } }));
    });
    const join = Join.fromPartial({ agentName, instance: agentName, slots: 1, agent: ownPeer });
    control.write(messageBytes(ControlRequest, { message: { $case: 'join', value: join } }));
    const work = await within(Promise.race([given, over.then(() => undefined)]), workWithinMs);
    if (work !== undefined) {
      this.sessions += 1;
      const ended = Promise.race([this.#ended(control), this.#ended(data)]);
      this.#speak(work, control, data);
      const error = await within(ended, patienceMs);
      if (error !== undefined) {
        this.endings.set(error.code, [...(this.endings.get(error.code) ?? []), error]);
      }
    }
    for (const stream of [control, data]) stream.cancel();
    return work !== undefined;
  }

  #open<T>(path: string, decode: (bytes: Buffer) => T): ClientDuplexStream<Buffer, T> {
    const stream = this.#client.makeBidiStreamRequest(path, asIs, decode);
    stream.on('error', () => {});
    return stream;
  }

  async #ended(stream: ClientDuplexStream<Buffer, unknown>): Promise<ShoalError> {
    const [error] = (await once(stream, 'error').catch((thrown: unknown) => [thrown])) as [ServiceError];
    return errorFromStatus(error, { address: 'the coordinator', connected: true });
  }

  /** News of this work, each of them mutated, on both streams. */
  #speak(
    work: Dispatch,
    control: ClientDuplexStream<Buffer, unknown>,
    data: ClientDuplexStream<Buffer, unknown>,
  ): void {
    const random = this.#random;
    for (let at = 1; at <= framesPerSession; at += 1) {
      const onControl = random.next() < 0.25;
      const messages = onControl ? words(work, at) : news(work, at);
      const message = messages[random.int(0, messages.length - 1)] ?? Buffer.alloc(0);
      const lie = mostlyReadable(message, onControl ? ControlRequest.decode : DataRequest.decode, random);
      if (!onControl && endsJob(lie)) continue;
      (onControl ? control : data).write(lie);
      this.sent += 1;
    }
  }
}

/** What an agent may say on the control stream after it has joined. */
function words({ attempt }: Dispatch, sequence: number): readonly Buffer[] {
  const all: NonNullable<ControlRequest['message']>[] = [
    {
      $case: 'heartbeat',
      value: Heartbeat.fromPartial({
        sequence,
        held: [attempt],
        stats: {
          processes: [{ pid: 7, tasksRun: 3, groupId: 'g', rssBytes: 2 ** 20 }],
          groupLosses: [{ groupId: 'g', recycled: 1, deaths: 1 }],
          troubles: ['its disk is full'],
        },
      }),
    },
    { $case: 'slotsChanged', value: { slots: 3 } },
    { $case: 'draining', value: {} },
    { $case: 'leaving', value: {} },
  ];
  return all.map((message) => messageBytes(ControlRequest, { message }));
}

/** What an agent may say of its work. The values are what the task returns, as they are encoded. */
function news({ attempt, count, first, jobId }: Dispatch, sequence: number): readonly Buffer[] {
  const death = { pid: 7, signal: 'SIGKILL', ms: 3 };
  const range = { first, count };
  const values = { ...range, payload: Buffer.alloc(16 * count, 1), runMs: 2.5, pid: 7 };
  const failure = {
    index: first,
    kind: FailureKind.THROWN,
    code: 'ITEM_THREW',
    attempt: death,
    summary: 'TypeError: no',
    error: Buffer.alloc(40, 2),
    facts: { item: '3' },
  };
  const reports = [
    { runs: [values] },
    { runs: [{ ...values, more: true, totalBytes: 32 * count }] },
    { failures: [failure] },
    { runs: [values], failures: [failure], ended: { ending: { $case: 'finished', value: {} } } },
    { ended: { ending: { $case: 'childDied', value: { death, suspects: [range], stderrTail: 'no' } } } },
    { ended: { ending: { $case: 'returned', value: { started: [range] } } } },
  ];
  const prints = [{ jobId, prints: [{ pid: 7, index: first, task: 'f', text: 'x' }] }];
  return [
    ...reports.map((report) => messageBytes(DataRequest, { sequence, reports: [{ ...report, attempt }] })),
    messageBytes(DataRequest, { sequence, prints }),
  ];
}

/** That a job cannot be run any agent may say, and it is believed. */
function endsJob(message: Buffer): boolean {
  if (!canRead(message, DataRequest.decode)) return false;
  const { reports } = DataRequest.decode(message);
  return reports.some(({ ended }) => ended?.ending?.$case === 'unrunnable');
}

/** Undefined when it takes longer. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
