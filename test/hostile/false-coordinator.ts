import { ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import {
  AgentServiceService,
  ControlRequest,
  ControlResponse,
  createServer,
  DataRequest,
  DataResponse,
  type Join,
  ownPeer,
  type ShoalServer,
} from '@shoal/protocol';
import type { Random } from '../simulation/random.ts';
import { mostlyReadable } from './mutation.ts';
import { controlBytes, moreWork, trueWork, words } from './orders.ts';

const asIs = (bytes: Buffer): Buffer => bytes;
const framesPerSession = 16;
/** Between two of them: what was ordered is under way when the next order comes. */
const pauseMs = 5;

type Stream<Request> = ServerDuplexStream<Request, Buffer>;

/** Takes agents in and gives them work as a coordinator does, and then speaks to them in mutated frames. */
export class FalseCoordinator {
  readonly #random: Random;
  readonly #server: ShoalServer;
  readonly #controls = new Map<number, { readonly agent: string; readonly stream: Stream<ControlRequest> }>();
  #address = '';
  /** Frames that were sent to agents that had work. */
  sent = 0;
  /** Sessions that it has opened. */
  sessions = 0;
  /** Reports of each agent, by its name: it works. */
  readonly reports: Map<string, number> = new Map();

  constructor(random: Random) {
    this.#random = random;
    const { control, data } = AgentServiceService;
    const definition = {
      control: { ...control, requestDeserialize: ControlRequest.decode, responseSerialize: asIs },
      data: { ...data, requestDeserialize: DataRequest.decode, responseSerialize: asIs },
    };
    const handlers = {
      control: (stream: Stream<ControlRequest>) => this.#control(stream),
      data: (stream: Stream<DataRequest>) => this.#data(stream),
    };
    this.#server = createServer([{ definition, handlers }]);
  }

  get address(): string {
    return this.#address;
  }

  async listen(): Promise<void> {
    const port = await this.#server.listen('127.0.0.1:0', ServerCredentials.createInsecure());
    this.#address = `127.0.0.1:${port}`;
  }

  close(): Promise<void> {
    return this.#server.close(0);
  }

  #control(stream: Stream<ControlRequest>): void {
    stream.on('error', () => {});
    stream.on('data', ({ message }: ControlRequest) => {
      if (message?.$case === 'join') this.#join(message.value, stream);
    });
  }

  #join({ agentName: agent }: Join, stream: Stream<ControlRequest>): void {
    this.sessions += 1;
    const session = this.sessions;
    this.#controls.set(session, { agent, stream });
    const terms = { heartbeatMs: 100, leaseMs: 10_000, selfFenceMs: 8_000, abandonMs: 60_000 };
    const value = { session, epoch: 1, ...terms, coordinator: ownPeer, drop: [] };
    stream.write(controlBytes({ $case: 'joined', value }));
  }

  #data(stream: Stream<DataRequest>): void {
    let session = 0;
    stream.on('error', () => {});
    stream.on('data', ({ hello, reports }: DataRequest) => {
      if (hello !== undefined) {
        session = hello.session;
        for (const work of trueWork(session)) stream.write(work);
        void this.#speak(session, stream);
      }
      if (reports.length === 0) return;
      const { agent = '' } = this.#controls.get(session) ?? {};
      this.reports.set(agent, (this.reports.get(agent) ?? 0) + reports.length);
    });
  }

  /** Orders that are mutated, on both streams, for as long as the agent listens. */
  async #speak(session: number, data: Stream<DataRequest>): Promise<void> {
    const random = this.#random;
    const control = this.#controls.get(session)?.stream;
    for (let at = 1; at <= framesPerSession; at += 1) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      if (control === undefined || control.cancelled || data.cancelled) break;
      const isData = random.next() < 0.6;
      const orders = isData ? moreWork(session, at) : words(session, at);
      const order = orders[random.int(0, orders.length - 1)] ?? Buffer.alloc(0);
      const decode = isData ? DataResponse.decode : ControlResponse.decode;
      (isData ? data : control).write(mostlyReadable(order, decode, random));
      this.sent += 1;
    }
    // Whoever is still here comes again.
    data.end();
    control?.end();
    this.#controls.delete(session);
  }
}
