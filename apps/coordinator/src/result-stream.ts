import { ShoalError } from '@shoal/errors';
import type { GroupStats, JobEnded, JobProgress, ReadResultsResponse } from '@shoal/protocol';
import type { Job, JobReader, StoredOutcome } from './job.ts';
import { OutcomeBatches } from './outcome-batches.ts';
import { type MessageSink, StreamWriter } from './stream-writer.ts';

const progressMs = 250;
/** Prints that go out before results get their turn. */
const printsInRowMax = 64;

/** What a {@link ResultStream} is made of. */
export interface ResultStreamParts {
  readonly job: Job;
  readonly sink: MessageSink<ReadResultsResponse>;
  /** Outcomes that were delivered before it came. */
  readonly missed: readonly StoredOutcome[];
  readonly messageBytes: number;
  readonly progress: () => JobProgress | undefined;
  readonly groupStats: () => GroupStats;
  readonly statsMs: number;
  readonly fail: (error: ShoalError) => void;
}

/**
 * One ReadResults stream: outcomes as fast as the client takes them, and beside them what else it has to know.
 *
 * A client that does not read costs a list of references: the window keeps the job from producing more.
 */
export class ResultStream implements JobReader {
  readonly #parts: ResultStreamParts;
  readonly #writer: StreamWriter<ReadResultsResponse>;
  readonly #batches: OutcomeBatches;
  readonly #progressTimer: NodeJS.Timeout;
  readonly #statsTimer: NodeJS.Timeout;
  readonly #leave: () => void;
  #end: JobEnded | undefined;
  #pumping = false;
  #printsInRow = 0;
  /** Not told yet. */
  #grant: number | undefined;
  #shownProgress = '';
  #over = false;

  constructor(parts: ResultStreamParts) {
    this.#parts = parts;
    this.#writer = new StreamWriter(parts.sink, () => this.#pump());
    this.#batches = new OutcomeBatches(parts.messageBytes);
    this.#batches.add(parts.missed);
    this.#progressTimer = setInterval(() => this.#showProgress(), progressMs);
    this.#statsTimer = setInterval(() => this.#showStats(), parts.statsMs);
    this.#end = parts.job.end;
    this.#leave = parts.job.presence();
    parts.job.readBy(this);
    this.granted(parts.job.grantedUpTo);
    this.#showProgress();
    this.#soon();
  }

  outcomes(outcomes: readonly StoredOutcome[]): void {
    this.#batches.add(outcomes);
    this.#soon();
  }

  granted(upTo: number): void {
    this.#grant = upTo;
    this.#soon();
  }

  printed(): void {
    this.#soon();
  }

  ended(ended: JobEnded): void {
    this.#end = ended;
    this.#soon();
  }

  replaced(): void {
    const error = new ShoalError('STREAM_REPLACED', { what: 'ReadResults', job: this.#parts.job.id });
    this.gone();
    this.#parts.fail(error);
  }

  /** The client is gone, or has all. */
  gone(): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#progressTimer);
    clearInterval(this.#statsTimer);
    if (this.#parts.job.reader === this) this.#parts.job.reader = undefined;
    this.#leave();
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
    while (!this.#over && this.#writer.ready) {
      this.#tellGrant();
      // First, so that what an item printed is read before its result; but no flood keeps results waiting.
      if (this.#printsInRow < printsInRowMax && this.#tellPrint()) continue;
      this.#printsInRow = 0;
      const batch = this.#batches.take();
      if (batch !== undefined) {
        this.#writer.write({ message: { $case: 'batch', value: batch } });
        continue;
      }
      if (this.#tellPrint()) continue;
      if (this.#end === undefined) return;
      // What second attempts came to is known by now.
      this.#showProgress();
      this.#writer.write({ message: { $case: 'ended', value: this.#end } });
      this.#parts.job.readOut();
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

  #tellPrint(): boolean {
    const value = this.#parts.job.prints.take();
    if (value === undefined) return false;
    this.#printsInRow += 1;
    this.#writer.write({ message: { $case: 'print', value } });
    return true;
  }

  #showProgress(): void {
    if (!this.#writer.ready) return;
    const progress = this.#parts.progress();
    const shown = JSON.stringify(progress);
    if (progress === undefined || shown === this.#shownProgress) return;
    this.#shownProgress = shown;
    this.#writer.write({ message: { $case: 'progress', value: progress } });
  }

  #showStats(): void {
    if (this.#writer.ready)
      this.#writer.write({ message: { $case: 'stats', value: this.#parts.groupStats() } });
  }
}
