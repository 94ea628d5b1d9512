import {
  type AttemptReport,
  type DataRequest,
  type FailedTry,
  type JobPrints,
  type Print,
  PrintStream,
  type ResultRun,
} from '@shoal/protocol';

type Ended = NonNullable<AttemptReport['ended']>;

/** One piece of news of an attempt. */
type News =
  | { readonly attempt: number; readonly bytes: number; readonly run: ResultRun }
  | { readonly attempt: number; readonly bytes: number; readonly failure: FailedTry }
  | { readonly attempt: number; readonly bytes: number; readonly ended: Ended };

interface SentBatch {
  readonly sequence: number;
  readonly news: readonly News[];
  readonly bytes: number;
  /** Its last run goes on in the next batch: the two are taken together or not at all. */
  readonly splitsRun: boolean;
}

/** What an {@link Outbox} is made of. */
export interface OutboxOptions {
  /** What one message should hold, about. */
  readonly messageBytes: number;
  /** Results kept for a coordinator that does not take them; beyond it the children wait. */
  readonly maxBytes: number;
  /** Prints that wait; more are dropped and counted. */
  readonly maxPrintBytes: number;
  /** There is something to send. */
  readonly onNews: () => void;
  /** The children are to wait (true), or to go on. */
  readonly onFull: (full: boolean) => void;
  /** The batch with an attempt's ending was taken: the agent holds it no more. */
  readonly onEndingTaken: (attempt: number) => void;
}

/**
 * What the agent has to report, until the coordinator has taken it.
 *
 * A batch that was sent stays here until it was taken; after a reconnect everything that was not is sent again, in
 * the same order, under the new session. Results are bounded in bytes by making the children wait, prints by dropping.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  #pending: News[] = [];
  #sent: SentBatch[] = [];
  #prints = new Map<string, Print[]>();
  #printBytes = 0;
  readonly #droppedPrints = new Map<string, { prints: number; bytes: number }>();
  #sequence = 0;
  #heldBytes = 0;
  #full = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Nothing waits and nothing is on its way. */
  get empty(): boolean {
    return this.#pending.length === 0 && this.#sent.length === 0;
  }

  run(attempt: number, run: ResultRun): void {
    const { messageBytes } = this.#options;
    const { payload } = run;
    if (payload.byteLength <= messageBytes) {
      this.#add({ attempt, bytes: payload.byteLength, run });
      return;
    }
    for (let from = 0; from < payload.byteLength; from += messageBytes) {
      const part = payload.subarray(from, from + messageBytes);
      const more = from + part.byteLength < payload.byteLength;
      const totalBytes = from === 0 ? payload.byteLength : 0;
      this.#add({ attempt, bytes: part.byteLength, run: { ...run, payload: part, more, totalBytes } });
    }
  }

  failure(attempt: number, failure: FailedTry): void {
    this.#add({ attempt, bytes: failure.error.byteLength + 512, failure });
  }

  ended(attempt: number, ended: Ended): void {
    this.#add({ attempt, bytes: 64, ended });
  }

  print(job: string, print: Print): void {
    const bytes = print.text.length + 64;
    if (this.#printBytes + bytes > this.#options.maxPrintBytes) {
      const dropped = this.#droppedPrints.get(job) ?? { prints: 0, bytes: 0 };
      dropped.prints += 1;
      dropped.bytes += Buffer.byteLength(print.text);
      this.#droppedPrints.set(job, dropped);
      return;
    }
    const known = this.#prints.get(job);
    if (known === undefined) this.#prints.set(job, [print]);
    else known.push(print);
    this.#printBytes += bytes;
    this.#options.onNews();
  }

  /** The next message, or undefined when nothing waits. It counts as sent. */
  take(): DataRequest | undefined {
    const prints = this.#takePrints();
    if (this.#pending.length === 0 && prints.length === 0) return undefined;
    const reports: AttemptReport[] = [];
    let count = 0;
    let bytes = 0;
    for (const news of this.#pending) {
      if (count > 0 && bytes + news.bytes > this.#options.messageBytes) break;
      addTo(reports, news);
      bytes += news.bytes;
      count += 1;
    }
    const news = this.#pending.splice(0, count);
    this.#sequence += 1;
    const last = news.at(-1);
    const splitsRun = last !== undefined && 'run' in last && last.run.more;
    this.#sent.push({ sequence: this.#sequence, news, bytes, splitsRun });
    return { sequence: this.#sequence, reports, prints };
  }

  /** The coordinator has all batches up to this one. */
  taken(sequence: number): void {
    let count = 0;
    for (const [at, batch] of this.#sent.entries()) {
      if (batch.sequence > sequence) break;
      // Half a run would be lost with the session; it has to be sent again from its first part.
      if (!batch.splitsRun) count = at + 1;
    }
    for (const batch of this.#sent.splice(0, count)) {
      this.#hold(-batch.bytes);
      for (const news of batch.news) if ('ended' in news) this.#options.onEndingTaken(news.attempt);
    }
  }

  /** A new session has begun: what was not taken is sent again, as far as its attempts are still ours. */
  reopen(isOurs: (attempt: number) => boolean): void {
    const untaken = this.#sent.flatMap((batch) => batch.news);
    this.#sent = [];
    this.#sequence = 0;
    this.#pending = [...untaken, ...this.#pending].filter((news) => isOurs(news.attempt));
    this.#hold(this.#pending.reduce((sum, news) => sum + news.bytes, 0) - this.#heldBytes);
  }

  /** Nobody wants to hear of this attempt any more. */
  forget(attempt: number): void {
    if (!this.#pending.some((news) => news.attempt === attempt)) return;
    const dropped = this.#pending.filter((news) => news.attempt === attempt);
    this.#pending = this.#pending.filter((news) => news.attempt !== attempt);
    this.#hold(-dropped.reduce((sum, news) => sum + news.bytes, 0));
  }

  #add(news: News): void {
    this.#pending.push(news);
    this.#hold(news.bytes);
    this.#options.onNews();
  }

  #hold(bytes: number): void {
    const { maxBytes, onFull } = this.#options;
    this.#heldBytes += bytes;
    // Well below the limit, or the children would be stopped and started for every message.
    const full = this.#heldBytes >= (this.#full ? maxBytes / 2 : maxBytes);
    if (full === this.#full) return;
    this.#full = full;
    onFull(full);
  }

  #takePrints(): JobPrints[] {
    const prints = this.#prints;
    this.#prints = new Map();
    this.#printBytes = 0;
    for (const [job, dropped] of this.#droppedPrints) {
      const [count, bytes] = [dropped.prints, dropped.bytes].map((n) => n.toLocaleString('en-US'));
      const text = `… ${count} prints of ${bytes} bytes were dropped: the connection is too slow for them`;
      const notice: Print = {
        stream: PrintStream.STDERR,
        agent: '',
        pid: process.pid,
        index: undefined,
        task: '',
        text,
      };
      prints.set(job, [...(prints.get(job) ?? []), notice]);
    }
    this.#droppedPrints.clear();
    return [...prints].map(([jobId, each]) => ({ jobId, prints: each }));
  }
}

/** News of one attempt in a row share a report, as long as their order within it is that of the message's fields. */
function addTo(reports: AttemptReport[], news: News): void {
  const last = reports.at(-1);
  const fits =
    last !== undefined &&
    last.attempt === news.attempt &&
    last.ended === undefined &&
    !('run' in news && last.failures.length > 0);
  const report: AttemptReport = fits ? last : { attempt: news.attempt, runs: [], failures: [] };
  if (!fits) reports.push(report);
  if ('run' in news) report.runs.push(news.run);
  else if ('failure' in news) report.failures.push(news.failure);
  else report.ended = news.ended;
}
