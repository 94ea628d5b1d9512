import type { JobId } from '@shoal/scheduler';
import type { JobEnding } from './coordinator-command.ts';
import type { CallId, ClientSession, ConnectionName } from './coordinator-event.ts';

/** Where a job stands, for whoever shows it. */
export interface JobView {
  readonly id: JobId;
  readonly requestId: string;
  /** Items accepted; the next block begins here. */
  readonly pushed: number;
  readonly inputEnded: boolean;
  /** How many items may come in all, as far as there is room now. */
  readonly granted: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Outcomes that a reader may be sent, in the order of delivery. */
  readonly delivered: number;
  /** Outcomes that its client has for good: gone here. */
  readonly acknowledged: number;
  /** How it ended; undefined while it runs. */
  readonly ending: JobEnding | undefined;
  readonly reader: CallId | undefined;
  readonly writer: CallId | undefined;
  /** A block waits with its writer for room. */
  readonly holdsBlock: boolean;
}

/** A block of items that waits with its writer. */
export interface WaitingBlock {
  readonly first: number;
  readonly count: number;
  readonly bytes: number;
}

/** The one stream that a job's items come on. */
export interface Writer {
  readonly call: CallId;
  /** Beyond the gate. Never more than one: the stream is read no further. */
  waiting: WaitingBlock | undefined;
  /** It came behind the waiting block. */
  endAt: number | undefined;
  /** Its client has sent all that it sends on this stream, and waits for the answer. */
  closed: boolean;
}

/** The one stream that a job's outcomes go to. */
export interface Reader {
  readonly call: CallId;
}

/**
 * The latest of the streams that a job's clients have opened for one purpose.
 *
 * A client whose connection broke opens a stream anew, and the request for the old one may still be under way: it must not
 * take the place of the new one when it comes at last.
 */
export class LatestStream {
  #session: ClientSession = '';
  #stream = 0;

  /** Whose it is. */
  get session(): ClientSession {
    return this.#session;
  }

  /** Whether a later stream of the same client has come before this one. */
  isAfter({ session, stream = 0 }: NumberedStream): boolean {
    return stream > 0 && session === this.#session && stream < this.#stream;
  }

  /** This one is the latest. */
  opened({ session, stream = 0 }: NumberedStream): void {
    this.#session = session;
    this.#stream = stream;
  }
}

/** A stream as its client numbers it. */
interface NumberedStream {
  readonly session: ClientSession;
  readonly stream?: number | undefined;
}

/**
 * One job as its clients see it: what came in, what may go out, who is bound to it.
 *
 * Invariant: acknowledged <= offered <= delivered <= pushed.
 */
export class JobRecord implements JobView {
  readonly id: JobId;
  readonly requestId: string;
  readonly fingerprint: string;
  /** Of what is kept of its request. */
  requestBytes: number;
  pushed = 0;
  inputEnded = false;
  /** The scheduler's last grant; it may fall. */
  granted = 0;
  /** The highest grant that was told: clients hear of rises only. */
  toldGrant = 0;
  succeeded = 0;
  failed = 0;
  delivered = 0;
  /** Outcomes that some reader was offered. Nobody can have more. */
  offered = 0;
  acknowledged = 0;
  ending: JobEnding | undefined;
  /** Why its bytes could not be kept: tells this end from a cancellation. */
  noRoom: string | undefined;
  /** The connection of the stream that was closed last, where that was still open then. */
  leftOn: ConnectionName | undefined;
  /** A client was told of its end, or is being told. */
  endTold = false;
  /** Nothing of it is kept but what is written here. */
  isEmptied = false;
  /** Its end is its last: nobody will ask for it again. */
  released = false;
  boundReader: Reader | undefined;
  boundWriter: Writer | undefined;
  /** The latest stream of outcomes. Only its session may acknowledge. */
  readonly lastReader: LatestStream = new LatestStream();
  /** The latest stream of items. */
  readonly lastWriter: LatestStream = new LatestStream();

  constructor(id: JobId, requestId: string, fingerprint: string, requestBytes: number) {
    this.id = id;
    this.requestId = requestId;
    this.fingerprint = fingerprint;
    this.requestBytes = requestBytes;
  }

  get reader(): CallId | undefined {
    return this.boundReader?.call;
  }

  get writer(): CallId | undefined {
    return this.boundWriter?.call;
  }

  get holdsBlock(): boolean {
    return this.boundWriter?.waiting !== undefined;
  }

  /** Nobody needs more of it than to hear once more that it has ended. */
  get isSpent(): boolean {
    return this.ending !== undefined && this.endTold && this.acknowledged === this.delivered && this.isAlone;
  }

  /** No client holds a stream of it. */
  get isAlone(): boolean {
    return this.boundReader === undefined && this.boundWriter === undefined;
  }
}
