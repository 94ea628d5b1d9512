import { ShoalError } from '@shoal/errors';
import {
  type ControlResponse,
  type DataRequest,
  type DataResponse,
  type Heartbeat,
  type JobSetup,
  ownPeer,
  type Print,
  RevokeReason,
  SessionEndReason,
} from '@shoal/protocol';
import type {
  AttemptId,
  Dispatch,
  EndSession,
  HeldAttempt,
  JobId,
  Recall,
  Revoke,
  SessionId,
} from '@shoal/scheduler';
import type { Driver } from '../driver.ts';
import type { Job } from '../jobs/job.ts';
import { type MessageSink, StreamWriter } from '../jobs/stream-writer.ts';
import type { StoredBlock } from '../payloads/payload.ts';
import type { PayloadVault } from '../payloads/payload-vault.ts';
import type { AgentLink } from './agent-link.ts';
import { AgentReports } from './agent-reports.ts';
import { WorkParcel } from './work-parcel.ts';

/** An agent without an answer for so long stops what it runs. */
const abandonMs = 60_000;
/** So many batches of results wait for their confirmation, a fraction of what an agent may keep. */
const unconfirmedMax = 8;
/** So long the end of an attempt waits for its confirmation, a fraction of a heartbeat. */
const confirmMs = 20;

/** A stream that can be ended with an error. */
export interface SessionStream<T> extends MessageSink<T> {
  fail(error: unknown): void;
}

/** What an {@link AgentSession} works with. */
export interface SessionParts {
  readonly driver: Driver;
  readonly vault: PayloadVault;
  readonly epoch: number;
  readonly control: SessionStream<ControlResponse>;
  readonly messageBytes: number;
  readonly maxResultBytes: number;
  /** The session is over for the coordinator, too: it may be forgotten. */
  readonly onOver: (session: AgentSession) => void;
}

/**
 * One life of an agent's connection: commands go out on two streams, news come in and become events.
 *
 * It is over when either stream is, when the scheduler says so, or when the agent says good-bye.
 */
export class AgentSession implements AgentLink {
  readonly session: SessionId;
  readonly agent: string;
  refused = false;
  /** Why it was ended with an error, and when, in milliseconds since 1970; undefined: it was not. */
  failure: { readonly error: ShoalError; readonly unixMs: number } | undefined;
  readonly #parts: SessionParts;
  readonly #control: StreamWriter<ControlResponse>;
  readonly #parcel: WorkParcel;
  #data: SessionStream<DataResponse> | undefined;
  #dataWriter: StreamWriter<DataResponse> | undefined;
  readonly #reports: AgentReports;
  #sending = false;
  #leaving = false;
  #inputEnded = false;
  /** Batches since it was told of any. */
  #unconfirmed = 0;
  #confirming: NodeJS.Timeout | undefined;
  #over = false;
  /** It printed into a job that is none of its own, and that was logged. */
  #hasIntruded = false;

  constructor(session: SessionId, agent: string, parts: SessionParts) {
    this.session = session;
    this.agent = agent;
    this.#parts = parts;
    this.#control = new StreamWriter(parts.control);
    const { driver, maxResultBytes, vault } = parts;
    const isOver = () => this.#over;
    this.#reports = new AgentReports({ session, agent, driver, vault, maxResultBytes, isOver });
    this.#parcel = new WorkParcel(parts.messageBytes, () => driver.limitReached('partBytes'));
  }

  tell(message: NonNullable<ControlResponse['message']>): void {
    this.#control.write({ message });
  }

  heartbeat({ sequence, held }: Heartbeat): void {
    const stalledForMs = Math.max(this.#control.blockedForMs, this.#dataWriter?.blockedForMs ?? 0);
    const { session } = this;
    this.#parts.driver.step({ type: 'heartbeatListed', session, sequence, held, stalledForMs });
  }

  /** The agent says good-bye: its stream's end is no fault. */
  leaving(): void {
    this.#leaving = true;
  }

  // -- data stream ---------------------------------------------------------------------------------------------

  /** The data stream of this session is here. */
  bindData(stream: SessionStream<DataResponse>): void {
    if (this.#data !== undefined) {
      throw new ShoalError('REQUEST_INVALID', { field: 'hello', reason: 'this session has a data stream' });
    }
    this.#data = stream;
    this.#dataWriter = new StreamWriter(stream, () => this.#send());
    this.#sendSoon();
  }

  /** The agent has sent its last results; answering with an end tells it that they were taken. */
  dataInputEnded(): void {
    this.#inputEnded = true;
    this.#send();
  }

  /** News of attempts, in order. */
  takeBatch(batch: DataRequest): void {
    // First: the last result ends its job, and what was printed until then belongs before that.
    for (const { jobId, prints } of batch.prints) {
      this.#takePrints(jobId, prints);
    }
    for (const report of batch.reports) {
      this.#reports.take(report);
      // It told what cannot be; nothing that follows is heard.
      if (this.#over) return;
    }
    if (batch.sequence > 0 && !this.#over) this.#confirm(batch);
  }

  /** As with results, an agent tells of work that it was given: it may know the id of a job that others run. */
  #takePrints(jobId: JobId, prints: readonly Print[]): void {
    const { agent } = this;
    const { driver } = this.#parts;
    if (driver.jobs.get(jobId)?.agents.has(agent) !== false) {
      for (const print of prints) driver.printed(jobId, { ...print, agent });
    } else if (!this.#hasIntruded) {
      this.#hasIntruded = true;
      driver.printRefused(jobId, agent);
    }
  }

  /**
   * News are confirmed with the next work, for that would be a message about nothing else. The end of an attempt does not wait
   * for long, but a job that ends soon has one word for all of its attempts.
   */
  #confirm({ reports, sequence }: DataRequest): void {
    this.#parcel.taken(sequence);
    this.#unconfirmed += 1;
    if (this.#unconfirmed >= unconfirmedMax) this.#sendSoon();
    else if (reports.some(({ ended }) => ended !== undefined)) {
      this.#confirming ??= setTimeout(() => {
        this.#confirming = undefined;
        this.#send();
      }, confirmMs);
    }
  }

  // -- commands ------------------------------------------------------------------------------------------------

  admit(keep: readonly HeldAttempt[], drop: readonly AttemptId[]): void {
    for (const { attempt, job } of keep) this.#reports.keep(attempt, job);
    const { epoch } = this.#parts;
    const { selfFenceMs, ...timing } = this.#timing();
    const value = {
      session: this.session,
      epoch,
      ...timing,
      selfFenceMs,
      abandonMs,
      coordinator: ownPeer,
      drop: [...drop],
    };
    this.tell({ $case: 'joined', value });
  }

  refuse(): void {
    this.refused = true;
  }

  answerHeartbeat(sequence: number, drop: readonly AttemptId[]): void {
    for (const attempt of drop) this.#reports.drop(attempt);
    const { heartbeatMs, leaseMs } = this.#timing();
    this.tell({ $case: 'heartbeatAnswer', value: { sequence, drop: [...drop], heartbeatMs, leaseMs } });
  }

  dispatch(command: Dispatch, job: Job, blocks: readonly StoredBlock[]): void {
    const { attempt, first, count, marksStarts, tryNumber, groupSlots = 0 } = command;
    job.agents.add(this.agent);
    this.#reports.dispatched(command, blocks);
    const dispatch = { attempt, jobId: job.id, first, count, marksStarts, tryNumber, groupSlots };
    this.#parcel.dispatch(dispatch, () => setupOf(job), blocks);
    this.#sendSoon();
  }

  revoke({ attempt, reason }: Revoke): void {
    this.#reports.drop(attempt);
    this.tell({ $case: 'revoke', value: { attempt, reason: revokeReasons[reason] } });
  }

  recall({ attempt }: Recall): void {
    this.tell({ $case: 'recall', value: { attempt } });
  }

  itemsReleased(job: JobId, blocks: readonly StoredBlock[]): void {
    this.#parcel.released(job, blocks);
    this.#sendSoon();
  }

  forgetJob(job: JobId): void {
    this.#reports.forgetJob(job);
    for (const attempt of this.#parcel.forgetJob(job)) {
      // Its slot is free: nobody waits until it is clear that the agent has lost what it never got.
      const ending = { kind: 'returned' } as const;
      this.#parts.driver.step({ type: 'attemptEnded', session: this.session, attempt, ending });
    }
    this.#sendSoon();
  }

  end({ reason, said = '' }: EndSession): void {
    if (reason === 'brokeProtocol')
      this.#finish({ error: new ShoalError('AGENT_LIED', { agent: this.agent, said }) });
    else this.#finish(endReasons[reason]);
  }

  /** Nothing keeps the agent from what it is given, any more. */
  lacksNothing(): void {
    this.#reports.lacksNothing();
  }

  /** The coordinator stops. */
  shutDown(): void {
    this.#finish(SessionEndReason.SHUTDOWN);
  }

  /** One of the two streams is gone; with the reason where it was ended for what came on it. */
  streamClosed(reason?: ShoalError): void {
    if (this.#over) return;
    const orderly = this.#leaving && reason === undefined;
    // The other stream says it, too: an agent takes the first one that ends for the end of its session.
    this.#finish(reason && { error: reason });
    this.#parts.driver.step({ type: 'sessionClosed', session: this.session, orderly });
  }

  /** What it has come to: its streams were closed in an orderly way, or are about to be. */
  get orderly(): boolean {
    return this.#leaving && this.failure === undefined;
  }

  /** It is told why, or both streams fail with an error. */
  #finish(why: SessionEndReason | { readonly error: ShoalError } | undefined): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#confirming);
    if (typeof why === 'object') {
      this.failure = { error: why.error, unixMs: Date.now() };
      this.#parts.control.fail(why.error);
      this.#data?.fail(why.error);
    } else {
      if (why !== undefined) this.tell({ $case: 'sessionEnded', value: { reason: why } });
      this.#control.end();
      this.#dataWriter?.end();
    }
    this.#parcel.clear();
    this.#parts.onOver(this);
  }

  /** What agents are told of heartbeats: whole milliseconds. */
  #timing(): { readonly heartbeatMs: number; readonly leaseMs: number; readonly selfFenceMs: number } {
    const { heartbeatMs, leaseMs, selfFenceMs } = this.#parts.driver.machine.timing();
    return { heartbeatMs: Math.round(heartbeatMs), leaseMs: Math.round(leaseMs), selfFenceMs };
  }

  /** What is said in one turn of the event loop shares messages. */
  #sendSoon(): void {
    if (this.#sending || this.#dataWriter === undefined) return;
    this.#sending = true;
    setImmediate(() => {
      this.#sending = false;
      this.#send();
    });
  }

  /** As fast as the agent takes it; what waits lies in the payload store. */
  #send(): void {
    const writer = this.#dataWriter;
    if (writer === undefined || this.#over) return;
    this.#parts.driver.reading(() => {
      while (writer.ready) {
        const message = this.#parcel.next();
        if (message === undefined) break;
        this.#unconfirmed = 0;
        writer.write(message);
      }
    });
    // Answering with an end tells the agent that its last results were taken.
    if (this.#inputEnded && this.#parcel.isEmpty) writer.end();
  }
}

function setupOf({ id, request }: Job): JobSetup {
  return { jobId: id, task: request.task, options: request.options, setup: request.setup };
}

const revokeReasons: Readonly<Record<Revoke['reason'], RevokeReason>> = {
  cancelled: RevokeReason.CANCELLED,
  deadline: RevokeReason.DEADLINE,
  notYours: RevokeReason.NOT_YOURS,
  superseded: RevokeReason.SUPERSEDED,
};

const endReasons: Readonly<Record<Exclude<EndSession['reason'], 'brokeProtocol'>, SessionEndReason>> = {
  superseded: SessionEndReason.SUPERSEDED,
  silent: SessionEndReason.SILENT,
  drained: SessionEndReason.DRAINED,
};
