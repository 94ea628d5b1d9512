import type { ItemAttempt } from '@shoal/errors';
import { pausedByConsumerText } from '@shoal/scheduler';
import type { Block, Print } from '../child-pool/chunk-request.ts';
import type {
  BackendProgress,
  FailedOutcome,
  JobBackend,
  JobRequest,
  JobSink,
  RunningJob,
} from '../job-backend.ts';
import type { Items } from '../map-pool.ts';
import { type BlobHold, broadcastStore } from '../values/broadcast-store.ts';

import { BlockBuilder, type Refusal } from './block-builder.ts';
import type { CallSite } from './call-site.ts';
import type { Run } from './decoded-values.ts';
import { type InputPuller, type ItemReceiver, pullerOf } from './input-puller.ts';
import type { ProgressMeter } from './progress-meter.ts';
import type { PullWindow } from './pull-window.ts';

/** How a job ended. */
export type JobEnd =
  /** Every item had its outcome. */
  | { readonly kind: 'completed' }
  /** The input threw; every item before had its outcome. */
  | { readonly kind: 'inputFailed'; readonly error: unknown }
  /** It was ended early: cancelled, terminated, past its deadline, not runnable. */
  | { readonly kind: 'stopped'; readonly error: unknown };

/** Who takes the outcomes of a job, in the order of delivery. */
export interface OutcomeConsumer {
  values(run: Run): void;
  failed(outcome: FailedOutcome): void;
  /** The last call. */
  ended(end: JobEnd): void;
}

/** What a {@link JobRun} is made of. */
export interface JobRunOptions {
  readonly backend: JobBackend;
  readonly request: JobRequest;
  readonly items: Items<unknown>;
  /** Where the method was called: the stack of what ends the job. */
  readonly site: CallSite;
  readonly consumer: OutcomeConsumer;
  readonly window: PullWindow;
  /** Encoded items that were pulled and not yet taken, at most; one item always fits. */
  readonly windowBytes: number;
  readonly itemBytesMax: number;
  readonly blockItemsMax: number;
  readonly print: (print: Print, agent: string | undefined) => void;
  readonly progress: ProgressMeter | undefined;
  /** Its consumer collects what comes, and shows nothing of it before the end. */
  readonly isCollected: boolean;
  readonly signal: AbortSignal | undefined;
  /** The job is over: so, or because nobody wants it any more. */
  readonly onOver: (end: JobEnd | undefined) => void;
}

/**
 * One job, from its input to its consumer:
 *
 *   items -> puller -> builder -> blocks -> backend -> outcomes -> consumer
 *             ^ room: the window, the grant and the bytes    | took
 *             +----------------------------------------------+
 */
export class JobRun implements JobSink, ItemReceiver {
  readonly #options: JobRunOptions;
  readonly #builder: BlockBuilder;
  /** Items that cannot be sent: holes in their blocks, which come back as failures without a reason. */
  readonly #refusals: Map<number, Refusal> = new Map();
  /** Blocks pushed of which the consumer has not taken every outcome: where they end, and their bytes. */
  #openBlocks: { readonly end: number; readonly bytes: number }[] = [];
  #openBytes = 0;
  /** Constants that its items refer to: there until the job is over, whoever releases them. */
  readonly #holds: Map<string, BlobHold> = new Map();
  #running: RunningJob | undefined;
  #puller: InputPuller | undefined;
  #granted = 0;
  #delivered = 0;
  #taken = 0;
  #acknowledged = 0;
  #failures = 0;
  /** The backend has said that nothing of it runs before the consumer takes something; nothing has come since. */
  #isPaused = false;
  #inputOver = false;
  #inputFailure: { readonly error: unknown } | undefined;
  #over = false;
  #pumping = false;
  #pumpAgain = false;

  constructor(options: JobRunOptions) {
    this.#options = options;
    const { request, itemBytesMax, blockItemsMax } = options;
    this.#builder = new BlockBuilder({
      chunkSize: request.chunkSize,
      itemsMax: blockItemsMax,
      concurrentTasks: request.concurrentTasksPerChild,
      spread: request.spread,
      itemBytesMax,
      emit: (block) => {
        if (this.#over) return;
        this.#hold(block.broadcasts);
        this.#openBlocks.push({ end: block.first + block.count, bytes: block.bytes.byteLength });
        this.#openBytes += block.bytes.byteLength;
        this.#running?.push(block);
      },
      refuse: (index, refusal) => this.#refusals.set(index, refusal),
    });
  }

  get isWatched(): boolean {
    const { isCollected, progress } = this.#options;
    return !isCollected || progress !== undefined;
  }

  /** The backend's id of this job; empty before it has one. */
  get id(): string {
    return this.#running?.id ?? '';
  }

  /** How many items there are, as far as that is known. */
  get total(): number | undefined {
    return this.#options.request.totalItems ?? (this.#inputOver ? this.#builder.count : undefined);
  }

  /**
   * Nothing comes before the consumer takes something: every item that was pulled has its outcome, and no other is pulled; or
   * the outcomes that it has not taken are all the bytes that are kept for it.
   */
  get waitsForConsumer(): boolean {
    const pulled = this.#builder.count;
    if (!this.#over && this.#isPaused && this.#taken < this.#delivered) return true;
    if (this.#over || this.#inputOver || this.#delivered < pulled) return false;
    return pulled > this.#taken && !this.#isWorthPulling();
  }

  /** Never throws: what goes wrong ends the job. */
  start(): void {
    const { backend, request, items, signal } = this.#options;
    if (signal?.aborted) {
      this.#end({ kind: 'stopped', error: signal.reason });
      return;
    }
    signal?.addEventListener('abort', this.#aborted, { once: true });
    try {
      this.#running = backend.open(request, this);
    } catch (error) {
      this.#end({ kind: 'stopped', error: this.#options.site.of(error) });
      return;
    }
    try {
      this.#puller = pullerOf(items, this);
    } catch (error) {
      this.inputEnded({ error });
      return;
    }
    this.#pump();
  }

  /** The consumer has taken `count` outcomes more; `drained`: it has none left that it could take. */
  took(count: number, drained: boolean): void {
    if (this.#over) return;
    this.#taken += count;
    const { window } = this.#options;
    window.took(this.#taken);
    while (this.#openBlocks.length > 0 && (this.#openBlocks[0]?.end ?? Infinity) <= this.#taken) {
      this.#openBytes -= this.#openBlocks.shift()?.bytes ?? 0;
    }
    const unsaid = this.#taken - this.#acknowledged;
    if (unsaid > 0 && (drained || unsaid >= window.size >> 3)) {
      this.#acknowledged = this.#taken;
      this.#running?.acknowledge(this.#taken);
    }
    this.#pump();
  }

  /** So many values that came cannot be read: their items have failed. Who finds out after the end tells nobody. */
  unreadable(count: number): void {
    if (this.#over) return;
    this.#failures += count;
    this.#options.progress?.tookBack(count);
  }

  /** Ends the job without another word to its consumer. Resolves when the input's iterator has returned. */
  cancel(reason: string): Promise<void> {
    if (this.#over) return Promise.resolve();
    this.#finish(undefined);
    this.#running?.cancel(reason);
    return this.#puller?.stop() ?? Promise.resolve();
  }

  /** Ends the job with an error of the caller's choice. */
  abort(error: unknown, reason: string): void {
    if (this.#over) return;
    this.cancel(reason).catch(() => {});
    this.#options.consumer.ended({ kind: 'stopped', error });
  }

  readonly #aborted = (): void => {
    this.abort(this.#options.signal?.reason, 'its signal aborted');
  };

  // -- as the backend's sink ---------------------------------------------------------------------------------

  values(first: number, count: number, bytes: Uint8Array, offset: number = 0, ran?: ItemAttempt): void {
    if (this.#over) return;
    this.#delivered += count;
    this.#isPaused = false;
    this.#options.progress?.succeeded(count);
    this.#options.consumer.values({ first, count, bytes, offset, ran });
  }

  failed(outcome: FailedOutcome): void {
    if (this.#over) return;
    this.#delivered += 1;
    this.#isPaused = false;
    this.#failures += 1;
    this.#options.progress?.failed();
    const refusal = this.#refusals.get(outcome.index);
    if (refusal === undefined) {
      this.#options.consumer.failed(outcome);
      return;
    }
    this.#refusals.delete(outcome.index);
    // It reached a child only to keep its place among the others.
    this.#options.consumer.failed({ index: outcome.index, attempts: [], ...refusal });
  }

  granted(upTo: number): void {
    this.#granted = Math.max(this.#granted, upTo);
    this.#pump();
  }

  print(print: Print, agent: string | undefined): void {
    this.#options.print(print, agent);
  }

  progress(progress: BackendProgress): void {
    if (this.#over) return;
    this.#isPaused = progress.waitingFor === pausedByConsumerText;
    this.#options.progress?.backendSaid(progress);
  }

  ended(error: Error | undefined): void {
    if (this.#over) return;
    // The failure that ended a fail-fast job was delivered; how the backend calls its end is not the user's business.
    const failedFast = this.#options.request.failFast && this.#failures > 0;
    if (error !== undefined && !failedFast)
      this.#end({ kind: 'stopped', error: this.#options.site.of(error) });
    else if (this.#inputFailure !== undefined) this.#end({ kind: 'inputFailed', ...this.#inputFailure });
    else this.#end({ kind: 'completed' });
  }

  // -- as the receiver of the input --------------------------------------------------------------------------

  room(): number {
    if (this.#over || this.#inputOver) return 0;
    const { window, windowBytes } = this.#options;
    const pulled = this.#builder.count;
    if (this.#openBytes >= windowBytes && pulled > this.#taken) return 0;
    return Math.min(this.#granted, this.#taken + window.size) - pulled;
  }

  item(value: unknown): void {
    this.#builder.add(value);
  }

  itemsOf(list: readonly unknown[], from: number, until: number): number {
    return this.#builder.addFrom(list, from, until);
  }

  flush(): void {
    this.#builder.flush();
  }

  inputEnded(failure: { readonly error: unknown } | undefined): void {
    if (this.#over) return;
    this.#inputOver = true;
    this.#inputFailure = failure;
    this.#running?.endInput();
  }

  #pump(): void {
    if (this.#pumping) {
      this.#pumpAgain = true;
      return;
    }
    this.#pumping = true;
    do {
      this.#pumpAgain = false;
      if (this.#isWorthPulling()) this.#puller?.pull();
    } while (this.#pumpAgain);
    this.#pumping = false;
  }

  /** Room for a quarter of the window is waited for: blocks of the one item that was just taken would be dear. */
  #isWorthPulling(): boolean {
    const room = this.room();
    const quarter = this.#options.window.size >> 2;
    return room > 0 && (room >= quarter || this.#builder.count - this.#taken <= quarter);
  }

  #end(end: JobEnd): void {
    if (this.#over) return;
    this.#finish(end);
    this.#puller?.stop().catch(() => {});
    this.#options.consumer.ended(end);
  }

  #finish(end: JobEnd | undefined): void {
    this.#over = true;
    this.#options.onOver(end);
    this.#options.signal?.removeEventListener('abort', this.#aborted);
    this.#options.progress?.ended();
    this.#openBlocks = [];
    this.#refusals.clear();
    for (const hold of this.#holds.values()) hold.letGo();
  }

  #hold(files: Block['broadcasts'] = []): void {
    for (const file of files) {
      if (!this.#holds.has(file.sha256)) this.#holds.set(file.sha256, broadcastStore.hold(file));
    }
  }
}
