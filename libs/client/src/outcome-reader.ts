import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { ShoalError } from '@shoal/errors';
import type {
  GroupStats,
  ItemFailure,
  JobEnded,
  JobProgress,
  Outcome,
  OutcomeBatch,
  Print,
  ReadResultsResponse,
  ResultRun,
} from '@shoal/protocol';
import type { Connection } from './connection.ts';
import type { Outage } from './outage.ts';

/** Who hears what a coordinator says of a job. */
export interface OutcomeListener {
  /** Values of consecutive items; `run.payload` is whole. */
  values(run: ResultRun): void;
  failed(failure: ItemFailure): void;
  granted(upTo: number): void;
  print(print: Print): void;
  progress(progress: JobProgress): void;
  stats(stats: GroupStats): void;
  ended(ended: JobEnded): void;
  /** The coordinator cannot be reached for now; or it can be again. */
  reached(isReached: boolean): void;
  /** Nothing more can be read. */
  lost(error: unknown): void;
}

/**
 * Reads a job's outcomes to its end, in the order of delivery.
 *
 * A stream that breaks is opened again at the first outcome that is not here yet, so that each comes once.
 */
export class OutcomeReader {
  readonly #connection: Connection;
  readonly #jobId: string;
  readonly #listener: OutcomeListener;
  readonly #outage: Outage;
  #call: ClientReadableStream<ReadResultsResponse> | undefined;
  #position = 0;
  /** Parts of the run that is being received. */
  #parts: Uint8Array[] = [];
  #hasBroken = false;
  #done = false;

  constructor(connection: Connection, jobId: string, listener: OutcomeListener) {
    this.#connection = connection;
    this.#jobId = jobId;
    this.#listener = listener;
    this.#outage = connection.outage((isLost) => {
      if (!this.#done) listener.reached(!isLost);
    });
    this.#open();
  }

  /** How many outcomes have come. */
  get position(): number {
    return this.#position;
  }

  /** Nobody listens any more. */
  stop(): void {
    this.#done = true;
    this.#call?.cancel();
    this.#call = undefined;
  }

  #open(): void {
    this.#parts = [];
    const { jobs } = this.#connection;
    const call = jobs.readResults({
      jobId: this.#jobId,
      fromPosition: this.#position,
      clientSession: '',
    });
    this.#call = call;
    call.on('data', (response: ReadResultsResponse) => {
      if (this.#call !== call) return;
      this.#outage.over();
      this.#take(response);
    });
    call.on('error', (error: ServiceError) => {
      if (this.#call === call) void this.#recover(this.#connection.errorOf(error));
    });
    call.on('end', () => {
      if (this.#call === call) void this.#recover(this.#dropped('the stream of results ended early'));
    });
  }

  #take({ message }: ReadResultsResponse): void {
    switch (message?.$case) {
      case 'batch':
        this.#takeBatch(message.value);
        return;
      case 'granted':
        this.#listener.granted(message.value.upTo);
        return;
      case 'print':
        this.#listener.print(message.value);
        return;
      case 'progress':
        this.#listener.progress(message.value);
        return;
      case 'stats':
        this.#listener.stats(message.value);
        return;
      case 'ended':
        this.stop();
        this.#listener.ended(message.value);
        return;
    }
  }

  #takeBatch({ position, outcomes }: OutcomeBatch): void {
    if (position !== this.#position) {
      // Never seen; but a result in the wrong place would be worse than another try.
      const here = `a batch begins at ${position} where ${this.#position} was due`;
      this.#call?.cancel();
      void this.#recover(this.#dropped(here));
      return;
    }
    for (const outcome of outcomes) {
      if (this.#done) return; // The listener has had enough.
      this.#takeOutcome(outcome);
    }
  }

  #takeOutcome({ outcome }: Outcome): void {
    switch (outcome?.$case) {
      case 'run': {
        const run = outcome.value;
        if (run.more || this.#parts.length > 0) this.#parts.push(run.payload);
        if (run.more) return;
        const payload = this.#parts.length === 0 ? run.payload : Buffer.concat(this.#parts);
        this.#parts = [];
        this.#position += run.count;
        this.#listener.values({ ...run, payload });
        return;
      }
      case 'failure':
        this.#position += 1;
        this.#listener.failed(outcome.value);
    }
  }

  async #recover(error: unknown): Promise<void> {
    this.#call = undefined;
    if (this.#done) return;
    try {
      await this.#outage.pause(this.#explained(error));
      this.#hasBroken = true;
      if (!this.#done) this.#open();
    } catch (reason) {
      if (this.#done) return;
      this.#done = true;
      this.#listener.lost(reason);
    }
  }

  /** A coordinator that does not know the job that it had is not the one that it was. */
  #explained(error: unknown): unknown {
    if (!this.#hasBroken || !(error instanceof ShoalError) || error.code !== 'JOB_NOT_FOUND') return error;
    const { address } = this.#connection;
    const reason = 'it was restarted, and the job is gone';
    // Not `isOnTheWay`: another try cannot help, hence the wrapping.
    return new AggregateError([new ShoalError('CONNECTION_LOST', { address: address.text, reason })]);
  }

  #dropped(reason: string): ShoalError {
    return new ShoalError('CONNECTION_LOST', { address: this.#connection.address.text, reason });
  }
}
