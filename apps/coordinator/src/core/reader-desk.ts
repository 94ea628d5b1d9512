import type { AcknowledgementReceived, CallId, ReaderClosed, ReaderOpened } from './coordinator-event.ts';
import type { CoordinatorTurn } from './coordinator-turn.ts';
import type { JobBook } from './job-book.ts';
import type { JobRecord } from './job-record.ts';

/**
 * Who reads which job, and what of it.
 *
 * One stream reads a job at a time. A newer one takes the place of an older one, which gets nothing more, however late it
 * comes; and only the client session that read last may say that outcomes are needed no more.
 */
export class ReaderDesk {
  readonly #turn: CoordinatorTurn;
  readonly #book: JobBook;
  readonly #bound: Map<CallId, JobRecord> = new Map();

  constructor(turn: CoordinatorTurn, book: JobBook) {
    this.#turn = turn;
    this.#book = book;
  }

  open(event: ReaderOpened): void {
    const { call, fromPosition, job } = event;
    const record = this.#book.sought(call, job);
    if (record === undefined) return;
    if (record.lastReader.isAfter(event)) {
      this.#book.refuse(call, { code: 'STREAM_REPLACED', what: 'ReadResults', job });
      return;
    }
    const { acknowledged, delivered } = record;
    if (fromPosition < acknowledged) {
      this.#book.refuse(call, { code: 'RESULT_ACKNOWLEDGED', cursor: acknowledged, index: fromPosition });
      return;
    }
    if (fromPosition > delivered) {
      const reason = `is ${fromPosition}, but ${delivered} outcomes were delivered`;
      this.#book.refuse(call, { code: 'REQUEST_INVALID', field: 'from_position', reason });
      return;
    }
    const earlier = record.boundReader;
    if (earlier !== undefined) {
      this.#bound.delete(earlier.call);
      this.#book.refuse(earlier.call, { code: 'STREAM_REPLACED', what: 'ReadResults', job });
    }
    record.boundReader = { call };
    record.lastReader.opened(event);
    this.#bound.set(call, record);
    this.#book.attendanceChanged(record);
    this.#turn.emit({ type: 'bindReader', call, job, fromPosition });
    this.#turn.emit({ type: 'grant', call, upTo: record.toldGrant });
    this.#offer(record, fromPosition);
    if (record.ending !== undefined) this.#tellEnd(call, record);
  }

  close({ call, connection }: Pick<ReaderClosed, 'call' | 'connection'>): void {
    const record = this.#bound.get(call);
    if (record === undefined) return;
    this.#bound.delete(call);
    record.boundReader = undefined;
    record.leftOn = connection;
    this.#book.attendanceChanged(record);
  }

  /** More outcomes of a job may go out. */
  delivered(record: JobRecord, count: number): void {
    const before = record.delivered;
    record.delivered += count;
    this.#offer(record, before);
  }

  /** The job is over. */
  ended(record: JobRecord): void {
    if (record.boundReader !== undefined) this.#tellEnd(record.boundReader.call, record);
  }

  acknowledge({ call, job, position, session }: AcknowledgementReceived): void {
    const record = this.#book.sought(call, job);
    if (record === undefined) return;
    if (session !== record.lastReader.session) {
      // Whoever reads now has yet to get what the other one says it has.
      this.#book.refuse(call, { code: 'STREAM_REPLACED', what: 'ReadResults', job });
      return;
    }
    if (position > record.offered) {
      const reason = `${position} outcomes cannot be acknowledged: ${record.offered} were delivered`;
      this.#book.refuse(call, { code: 'REQUEST_INVALID', field: 'position', reason });
      return;
    }
    if (position > record.acknowledged) {
      record.acknowledged = position;
      // The scheduler forgets a job at its end; what its client had not taken by then is still here.
      if (record.ending === undefined)
        this.#turn.tellScheduler({ type: 'resultsAcknowledged', job, position });
      else this.#turn.emit({ type: 'releaseResults', job, position });
    }
    this.#turn.emit({ type: 'answer', call });
    this.#book.empty(record);
  }

  /** Throws an Error that names a broken invariant. */
  check(): void {
    for (const [call, { boundReader, id }] of this.#bound) {
      if (boundReader?.call !== call)
        throw new Error(`reader ${call} is bound to job ${id}, which has another one`);
    }
  }

  #tellEnd(call: CallId, record: JobRecord): void {
    record.endTold = true;
    this.#turn.emit({ type: 'endReader', call, job: record.id });
  }

  #offer(record: JobRecord, from: number): void {
    if (record.boundReader === undefined || record.delivered <= from) return;
    record.offered = Math.max(record.offered, record.delivered);
    const { boundReader, delivered, id } = record;
    this.#turn.emit({ type: 'offerOutcomes', call: boundReader.call, job: id, upTo: delivered });
  }
}
