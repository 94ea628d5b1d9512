import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { ShoalError } from '@shoal/errors';
import {
  type AgentStats,
  type ControlRequest,
  type ControlResponse,
  checkPeer,
  type DataRequest,
  type DataResponse,
  type Join,
  type Joined,
  SessionEndReason,
} from '@shoal/protocol';
import type { Connection } from './connection.ts';
import type * as core from './core/index.ts';

type WithoutTimeAndLink<T> = T extends unknown ? Omit<T, 'atMs' | 'link'> : never;
/** What happens on a link. */
export type LinkNews = WithoutTimeAndLink<core.LinkEvent>;

/** Whom a {@link Link} tells. */
export interface LinkListener {
  /** `error` comes with `linkLost`. */
  happened(news: LinkNews, error?: ShoalError): void;
  /** Work and what belongs to it, to be taken field by field. */
  received(message: DataResponse): void;
  /** Children of these groups are not needed any more. */
  groupsForgotten(ids: readonly string[]): void;
  /** An operator took this agent out of service, or put it back. */
  serviceChanged(inService: boolean): void;
}

/**
 * One connection to the coordinator with the two streams of a session. It does what it is told, and tells what it hears
 * until it is lost or cut.
 *
 * Heartbeats have a stream of their own, so that they never wait behind results.
 */
export class Link {
  readonly connection: Connection;
  readonly #listener: LinkListener;
  readonly #control: ClientDuplexStream<ControlRequest, ControlResponse>;
  #data: ClientDuplexStream<DataRequest, DataResponse> | undefined;
  /** Nothing more is sent on the data stream: its end is in order. */
  #dataFinished = false;
  #dataHasRoom = true;
  #controlHasRoom = true;
  /** Room in the data stream is waited for. */
  #sendRequested = false;
  #isGranting = false;
  #isOver = false;

  /** Dials. */
  constructor(connection: Connection, listener: LinkListener) {
    this.connection = connection;
    this.#listener = listener;
    this.#control = connection.agents.control();
    this.#control.on('data', (message: ControlResponse) => this.#told(message));
    this.#control.on('error', (error: ServiceError) => this.#lost(connection.errorOf(error)));
    this.#control.on('end', () => this.#lost(this.#ended('the coordinator ended the session')));
    this.#control.on('drain', () => this.#controlRoom(true));
  }

  join(join: Join): void {
    this.#tell({ $case: 'join', value: join });
  }

  heartbeat(sequence: number, held: readonly number[], stats: AgentStats): void {
    this.#tell({ $case: 'heartbeat', value: { sequence, held: [...held], stats } });
  }

  announceDrain(): void {
    this.#tell({ $case: 'draining', value: {} });
  }

  /** Says good-bye, and ends the control stream. */
  leave(): void {
    this.#tell({ $case: 'leaving', value: {} });
    this.#control.end();
  }

  openData(session: number, epoch: number): void {
    const data = this.connection.agents.data();
    this.#data = data;
    data.on('data', (message: DataResponse) => {
      if (!this.#isOver) this.#listener.received(message);
    });
    data.on('error', (error: ServiceError) => this.#lost(this.connection.errorOf(error)));
    data.on('end', () => {
      if (!this.#dataFinished) this.#lost(this.#ended('the coordinator ended the data stream'));
      else if (!this.#isOver) this.#listener.happened({ type: 'dataFinished' });
    });
    data.on('drain', () => {
      this.#dataHasRoom = true;
      if (this.#sendRequested) this.#grant();
    });
    this.#dataHasRoom = data.write({ hello: { session, epoch }, sequence: 0, reports: [], prints: [] });
  }

  /** Says `sendGranted` once there is room. News of one turn of the event loop share messages. */
  requestSend(): void {
    this.#sendRequested = true;
    if (!this.#dataHasRoom) return;
    // In the middle of sending nothing new has come since.
    if (this.#isGranting) this.#grant();
    else setImmediate(() => this.#grant());
  }

  send(batch: DataRequest): void {
    if (this.#data !== undefined && !this.#isOver) this.#dataHasRoom = this.#data.write(batch);
  }

  finishData(): void {
    this.#dataFinished = true;
    this.#data?.end();
  }

  /** Ends it. Nothing more is heard of it. */
  cut(): void {
    this.#over();
    this.connection.close();
  }

  // ------------------------------------------------------------------------------------------------------------

  #tell(message: NonNullable<ControlRequest['message']>): void {
    if (!this.#isOver && !this.#control.write({ message })) this.#controlRoom(false);
  }

  #controlRoom(hasRoom: boolean): void {
    if (this.#isOver || this.#controlHasRoom === hasRoom) return;
    this.#controlHasRoom = hasRoom;
    this.#listener.happened({ type: 'controlRoomChanged', hasRoom });
  }

  #grant(): void {
    if (this.#isOver || !this.#sendRequested || !this.#dataHasRoom) return;
    this.#sendRequested = false;
    const isFirst = !this.#isGranting;
    this.#isGranting = true;
    this.#listener.happened({ type: 'sendGranted' });
    if (isFirst) this.#isGranting = false;
  }

  #told({ message }: ControlResponse): void {
    if (this.#isOver) return;
    switch (message?.$case) {
      case 'joined':
        if (this.#understands(message.value)) this.#listener.happened(newsOf(message));
        return;
      case 'heartbeatAnswer':
      case 'revoke':
      case 'recall':
      case 'sessionEnded':
        this.#listener.happened(newsOf(message));
        return;
      case 'drain':
      case 'resume':
        this.#listener.serviceChanged(message.$case === 'resume');
        return;
      case 'forgetGroups':
        this.#listener.groupsForgotten(message.value.groupIds);
        return;
    }
  }

  /** Whether the coordinator speaks our protocol: an old one may have let us in without knowing ours. */
  #understands({ coordinator }: Joined): boolean {
    try {
      checkPeer(coordinator, 'coordinator', 'agent');
      return true;
    } catch (error) {
      if (!(error instanceof ShoalError)) throw error;
      this.#lost(error);
      return false;
    }
  }

  #lost(error: ShoalError): void {
    if (this.#isOver) return;
    this.#over();
    this.#listener.happened({ type: 'linkLost', code: error.code }, error);
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // A cancelled call still reports its own end, to nobody.
    this.#control.on('error', () => {});
    this.#data?.on('error', () => {});
    this.#control.cancel();
    this.#data?.cancel();
  }

  #ended(reason: string): ShoalError {
    return new ShoalError('CONNECTION_LOST', { address: this.connection.address, reason });
  }
}

type SessionMessage = Extract<
  NonNullable<ControlResponse['message']>,
  { readonly $case: 'joined' | 'heartbeatAnswer' | 'revoke' | 'recall' | 'sessionEnded' }
>;

function newsOf(message: SessionMessage): LinkNews {
  switch (message.$case) {
    case 'joined': {
      const { session, epoch, heartbeatMs, leaseMs, selfFenceMs, abandonMs, drop } = message.value;
      return { type: 'joined', session, epoch, heartbeatMs, leaseMs, selfFenceMs, abandonMs, drop };
    }
    case 'heartbeatAnswer':
      return { type: 'heartbeatAnswered', ...message.value };
    case 'revoke':
      return { type: 'attemptRevoked', attempt: message.value.attempt };
    case 'recall':
      return { type: 'attemptRecalled', attempt: message.value.attempt };
    case 'sessionEnded':
      return { type: 'sessionEnded', reason: endReasons[message.value.reason] };
  }
}

const endReasons: Readonly<Record<SessionEndReason, core.SessionEndReason>> = {
  [SessionEndReason.UNSPECIFIED]: 'unsaid',
  [SessionEndReason.SUPERSEDED]: 'superseded',
  [SessionEndReason.SILENT]: 'silent',
  [SessionEndReason.DRAINED]: 'drained',
  [SessionEndReason.SHUTDOWN]: 'shutdown',
};
