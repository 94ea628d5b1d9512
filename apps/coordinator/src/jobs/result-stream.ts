import { ShoalError } from '@shoal/errors';
import {
  type GroupStats,
  JobProgress,
  type ReadResultsRequest,
  type ReadResultsResponse,
} from '@shoal/protocol';
import type { CallId } from '../core/index.ts';
import type { Driver } from '../driver.ts';
import type { ReaderCall } from './client-calls.ts';
import type { Job, StoredOutcome } from './job.ts';
import { OutcomeBatches } from './outcome-batches.ts';
import { ResultPace } from './result-pace.ts';
import { type MessageSink, StreamWriter } from './stream-writer.ts';

const progressMs = 250;
/** Of a job that has just begun and waits for nothing: whoever reads it knows as much, and a short one has no message to spare. */
const noProgress = JSON.stringify(JobProgress.fromPartial({}));
/** Prints that go out before results get their turn. */
const printsInRowMax = 64;

/** What a {@link ResultStream} is made of. */
export interface ResultStreamParts {
  readonly driver: Driver;
  readonly sink: MessageSink<ReadResultsResponse>;
  readonly outcomeAt: (job: Job, position: number) => StoredOutcome | undefined;
  readonly messageBytes: number;
  readonly progress: (job: Job) => JobProgress | undefined;
  readonly groupStats: (job: Job) => GroupStats;
  readonly statsMs: number;
  readonly fail: (error: ShoalError) => void;
}

/** A stream that is bound to a job. */
interface Bound {
  readonly job: Job;
  readonly batches: OutcomeBatches;
  readonly progressTimer: NodeJS.Timeout;
  readonly statsTimer: NodeJS.Timeout;
}

/**
 * One ReadResults stream: outcomes as fast as the client takes them, and beside them what else it has to know.
 *
 * A client that does not read costs the messages that are on their way to it, and no more: the rest lies in the payload
 * store, and the window keeps the job from producing further.
 */
export class ResultStream implements ReaderCall {
  readonly #parts: ResultStreamParts;
  readonly #writer: StreamWriter<ReadResultsResponse>;
  readonly #call: CallId;
  #bound: Bound | undefined;
  #hasEnded = false;
  #pumping = false;
  readonly #pace: ResultPace;
  /** Results wait for others. */
  #gathering: NodeJS.Timeout | undefined;
  #printsInRow = 0;
  /** Not told yet. */
  #grant: number | undefined;
  #shownProgress = noProgress;
  #over = false;

  constructor(parts: ResultStreamParts, request: ReadResultsRequest) {
    const { clientSession: session, fromPosition, gatherMs, jobId: job, stream } = request;
    this.#parts = parts;
    this.#pace = new ResultPace(gatherMs);
    this.#writer = new StreamWriter(parts.sink, () => this.#pump());
    this.#call = parts.driver.calls.openReader(this);
    parts.driver.step({ type: 'readerOpened', call: this.#call, job, session, stream, fromPosition });
  }

  bound(job: Job, fromPosition: number): void {
    const { driver, messageBytes, outcomeAt, statsMs } = this.#parts;
    const outcome = (position: number): StoredOutcome | undefined => outcomeAt(job, position);
    this.#bound = {
      job,
      batches: new OutcomeBatches(messageBytes, fromPosition, outcome, () =>
        driver.limitReached('partBytes'),
      ),
      progressTimer: setInterval(() => this.#showProgress(job), progressMs),
      statsTimer: setInterval(() => this.#showStats(job), statsMs),
    };
    this.#showProgress(job);
    this.#soon();
  }

  offered(upTo: number): void {
    const bound = this.#bound;
    if (bound === undefined) return;
    bound.batches.offer(upTo);
    const { inputEnded } = bound.job.view;
    const waitMs = this.#pace.waitMs(this.#parts.driver.now(), {
      inputEnded,
      isAmple: bound.batches.isAmple,
    });
    if (waitMs > 0) this.#gathering ??= setTimeout(() => this.#pump(), waitMs);
    else this.#soon();
  }

  granted(upTo: number): void {
    this.#grant = upTo;
    this.#soon();
  }

  printed(): void {
    this.#soon();
  }

  ended(): void {
    this.#hasEnded = true;
    this.#soon();
  }

  refused(error: ShoalError): void {
    if (this.#over) return;
    this.#close();
    this.#parts.fail(error);
  }

  /** The client is gone, or has all; `connection` is what it came on, where that is open still. */
  gone(connection?: string): void {
    if (this.#over) return;
    this.#close();
    this.#parts.driver.calls.closed(this.#call);
    this.#parts.driver.step({ type: 'readerClosed', call: this.#call, connection });
  }

  #close(): void {
    this.#over = true;
    clearTimeout(this.#gathering);
    const bound = this.#bound;
    if (bound === undefined) return;
    clearInterval(bound.progressTimer);
    clearInterval(bound.statsTimer);
    if (bound.job.reader === this) bound.job.reader = undefined;
  }

  /** Outcomes of one turn of the event loop share messages. */
  #soon(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    const bound = this.#bound;
    if (bound !== undefined) this.#parts.driver.reading(() => this.#send(bound));
  }

  #send({ batches, job }: Bound): void {
    while (!this.#over && this.#writer.ready) {
      this.#tellGrant();
      // First, so that what an item printed is read before its result; but no flood keeps results waiting.
      if (this.#printsInRow < printsInRowMax && this.#tellPrint(job)) continue;
      this.#printsInRow = 0;
      const value = batches.take();
      if (value !== undefined) {
        this.#pace.sent(this.#parts.driver.now());
        this.#writer.write({ message: { $case: 'batch', value } });
        continue;
      }
      if (this.#tellPrint(job)) continue;
      // A job that ended for want of room has kept nothing.
      if (!batches.empty && job.view.ending?.state !== 'noRoom') {
        const facts = { cursor: job.view.acknowledged, index: batches.position };
        this.gone();
        this.#parts.fail(new ShoalError('RESULT_ACKNOWLEDGED', facts));
        return;
      }
      if (!this.#hasEnded || job.end === undefined) return;
      // What second attempts came to is known by now.
      this.#showProgress(job);
      this.#writer.write({ message: { $case: 'ended', value: job.end } });
      job.readOut();
      this.gone();
      this.#writer.end();
    }
  }

  /** The last grant includes those before it. */
  #tellGrant(): void {
    if (this.#grant === undefined) return;
    const upTo = this.#grant;
    this.#grant = undefined;
    this.#writer.write({ message: { $case: 'granted', value: { upTo } } });
  }

  #tellPrint(job: Job): boolean {
    const value = job.prints.take();
    if (value === undefined) return false;
    this.#printsInRow += 1;
    this.#writer.write({ message: { $case: 'print', value } });
    return true;
  }

  #showProgress(job: Job): void {
    if (!this.#writer.ready) return;
    const progress = this.#parts.progress(job);
    const shown = JSON.stringify(progress);
    if (progress === undefined || shown === this.#shownProgress) return;
    this.#shownProgress = shown;
    this.#writer.write({ message: { $case: 'progress', value: progress } });
  }

  #showStats(job: Job): void {
    if (!this.#writer.ready) return;
    this.#writer.write({ message: { $case: 'stats', value: this.#parts.groupStats(job) } });
  }
}
