import type {
  BlockReceived,
  CallId,
  InputEndReceived,
  WriterClosed,
  WriterOpened,
} from './coordinator-event.ts';
import type { CoordinatorTurn } from './coordinator-turn.ts';
import type { JobBook } from './job-book.ts';
import type { JobRecord, WaitingBlock, Writer } from './job-record.ts';

/**
 * Who writes which job, and how far.
 *
 * One stream writes a job at a time, and begins where the job's input stands: so a block comes once, in its place,
 * however often its sender has to begin again. A producer beyond its grant is not refused: its block waits with the
 * stream, which is read no further, so the connection holds the producer back.
 */
export class WriterDesk {
  readonly #turn: CoordinatorTurn;
  readonly #book: JobBook;
  readonly #bound: Map<CallId, JobRecord> = new Map();
  /** The room for all jobs together is tight. */
  #isTight = false;

  constructor(turn: CoordinatorTurn, book: JobBook) {
    this.#turn = turn;
    this.#book = book;
  }

  open(event: WriterOpened): void {
    const { call, firstIndex, job } = event;
    const record = this.#book.sought(call, job);
    if (record === undefined) return;
    if (record.lastWriter.isAfter(event)) {
      this.#book.refuse(call, { code: 'STREAM_REPLACED', what: 'PushItems', job });
      return;
    }
    if (firstIndex !== record.pushed) {
      const next = record.pushed;
      this.#book.refuse(call, { code: 'ITEMS_OUT_OF_STEP', job, next, index: firstIndex });
      return;
    }
    const earlier = record.boundWriter;
    if (earlier !== undefined) {
      this.#bound.delete(earlier.call);
      this.#book.refuse(earlier.call, { code: 'STREAM_REPLACED', what: 'PushItems', job });
    }
    record.lastWriter.opened(event);
    record.boundWriter = { call, waiting: undefined, endAt: undefined, closed: false };
    this.#bound.set(call, record);
    this.#book.attendanceChanged(record);
    this.#turn.emit({ type: 'bindWriter', call, job });
    if (record.ending !== undefined) this.ended(record);
  }

  take({ bytes, call, count, first, more = false }: BlockReceived): void {
    const record = this.#bound.get(call);
    const writer = record?.boundWriter;
    if (record === undefined || writer === undefined) return;
    if (record.inputEnded || writer.endAt !== undefined) {
      this.#refuse(record, writer, 'block', 'comes after the end of the input');
      return;
    }
    const next = record.pushed + (writer.waiting?.count ?? 0);
    if (first !== next || count < 1) {
      this.#refuse(
        record,
        writer,
        'block',
        `begins at ${first} with ${count} items; the next item is ${next}`,
      );
      return;
    }
    if (writer.waiting !== undefined) {
      this.#refuse(record, writer, 'block', 'came while another one waits');
      return;
    }
    const block = { first, count, bytes };
    if (this.#isOpen(record)) {
      this.#accept(record, call, block, more);
      return;
    }
    writer.waiting = block;
    this.#turn.emit({ type: 'holdBlock', call, job: record.id });
  }

  inputEnd({ call, totalItems }: InputEndReceived): void {
    const record = this.#bound.get(call);
    const writer = record?.boundWriter;
    if (record === undefined || writer === undefined) return;
    if (writer.waiting === undefined) this.#endInput(record, writer, totalItems);
    else writer.endAt = totalItems;
  }

  close({ call, connection, orderly }: Pick<WriterClosed, 'call' | 'connection' | 'orderly'>): void {
    const record = this.#bound.get(call);
    const writer = record?.boundWriter;
    if (record === undefined || writer === undefined) return;
    // The input of a stream that breaks off may end in good order, too, and after all others: that says nothing of its client.
    if (!orderly) record.leftOn = connection;
    if (!orderly) this.#unbind(record, call);
    else if (writer.waiting === undefined) this.#answer(record, call);
    else writer.closed = true;
  }

  /** What waits may come in now, if the gate is open: the grant rose, or outcomes of the job were taken. */
  advance(record: JobRecord): void {
    const writer = record.boundWriter;
    const waiting = writer?.waiting;
    if (writer === undefined || waiting === undefined || !this.#isOpen(record)) return;
    writer.waiting = undefined;
    this.#accept(record, writer.call, waiting);
    if (writer.endAt !== undefined) this.#endInput(record, writer, writer.endAt);
    else if (writer.closed) this.#answer(record, writer.call);
    else this.#turn.emit({ type: 'resumeWriter', call: writer.call });
  }

  storageChanged(isTight: boolean): void {
    if (this.#isTight === isTight) return;
    this.#isTight = isTight;
    if (!isTight) for (const record of new Set(this.#bound.values())) this.advance(record);
  }

  /** Whether the room of all jobs together is what keeps the producer of this one from sending. */
  holds({ acknowledged, ending, inputEnded, pushed }: JobRecord): boolean {
    return this.#isTight && ending === undefined && !inputEnded && acknowledged !== pushed;
  }

  /** The job takes no more. */
  ended(record: JobRecord): void {
    const { boundWriter } = record;
    if (boundWriter !== undefined) this.#answer(record, boundWriter.call);
  }

  /** Throws an Error that names a broken invariant. */
  check(): void {
    for (const [call, { boundWriter, id }] of this.#bound) {
      if (boundWriter?.call !== call)
        throw new Error(`writer ${call} is bound to job ${id}, which has another one`);
    }
  }

  /**
   * A block that begins within the grant may end beyond it: a producer need not cut a block to fit. Where the room of
   * all is tight, each job goes on a block at a time, so that none of them stands still because of another one.
   */
  #isOpen({ acknowledged, granted, pushed }: JobRecord): boolean {
    return pushed < granted && (!this.#isTight || acknowledged === pushed);
  }

  #accept(record: JobRecord, call: CallId, { bytes, count, first }: WaitingBlock, more = false): void {
    const job = record.id;
    record.pushed += count;
    this.#turn.emit({ type: 'keepBlock', call, job, first, count });
    this.#turn.tellScheduler({ type: 'itemsPushed', job, count, bytes, ...(more ? { more } : {}) });
  }

  #endInput(record: JobRecord, writer: Writer, totalItems: number): void {
    if (totalItems !== record.pushed) {
      const reason = `is ${totalItems}, but ${record.pushed} items came`;
      this.#refuse(record, writer, 'end_of_input.total_items', reason);
      return;
    }
    if (!record.inputEnded) {
      record.inputEnded = true;
      this.#turn.tellScheduler({ type: 'inputEnded', job: record.id });
    }
    this.#answer(record, writer.call);
  }

  #answer(record: JobRecord, call: CallId): void {
    this.#turn.emit({ type: 'endWriter', call, acceptedItems: record.pushed });
    this.#unbind(record, call);
  }

  #refuse(record: JobRecord, { call }: Writer, field: string, reason: string): void {
    this.#book.refuse(call, { code: 'REQUEST_INVALID', field, reason });
    this.#unbind(record, call);
  }

  #unbind(record: JobRecord, call: CallId): void {
    this.#bound.delete(call);
    record.boundWriter = undefined;
    this.#book.attendanceChanged(record);
  }
}
