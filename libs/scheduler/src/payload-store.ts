/**
 * The bytes that belong to the scheduler's commands: blocks of items until they have their outcomes, outcomes until
 * their consumer has acknowledged them. A plain data structure: it opens no byte and decides nothing.
 *
 *   addBlock -> blocksFor (dispatch) -> releaseItems
 *   keepResults / keepFailure -> deliver -> outcomesFrom (read again) -> releaseResults
 */

import type { JobId } from './identity.ts';
import { BlockList } from './structures/block-list.ts';

/** Consecutive items, encoded together by whoever pushed them. */
export interface ItemBlock {
  readonly first: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** Values of consecutive items, encoded together by the child that ran them. */
export interface ResultBytes {
  readonly first: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** An outcome or several, in order of delivery. `R` and `F` are whatever the driver keeps with results and failures. */
export type Outcome<R extends ResultBytes, F> =
  | {
      readonly kind: 'values';
      /** Where it stands in the order of delivery: `position` outcomes come before it. */
      readonly position: number;
      readonly first: number;
      readonly count: number;
      /** How many values of `run` come before `first`: nonzero where only a part of a run was accepted or is read. */
      readonly offset: number;
      readonly run: R;
    }
  | {
      readonly kind: 'failure';
      readonly position: number;
      readonly first: number;
      readonly count: 1;
      readonly failure: F;
    };

/**
 * Hears when bytes come in and when they go: for whoever moves them elsewhere while memory is short. A run of which two
 * ranges were kept is told of twice. What is kept of a failure is a payload as values are.
 */
export interface PayloadWatch<
  R extends ResultBytes = ResultBytes,
  B extends ItemBlock = ItemBlock,
  F = unknown,
> {
  held(job: JobId, payload: B | R | F): void;
  gone(job: JobId, payload: B | R | F): void;
}

interface Kept<R, F> {
  readonly first: number;
  readonly count: number;
  readonly run?: R;
  readonly failure?: F;
  /** Measured when it came: looking again might bring it back from where it was moved to. */
  readonly byteLength: number;
}

interface KeptBlock<B extends ItemBlock> {
  readonly first: number;
  readonly count: number;
  readonly block: B;
  readonly byteLength: number;
}

/** Everything held for one job. */
class JobPayload<R extends ResultBytes, F, B extends ItemBlock> {
  readonly blocks: BlockList<KeptBlock<B>> = new BlockList();
  /** Kept and not delivered, by first item. */
  readonly undelivered: Map<number, Kept<R, F>> = new Map();
  /** Delivered and not acknowledged, in order of delivery. */
  delivered: Array<Kept<R, F> & { readonly position: number }> = [];
  deliveredCount = 0;
  itemBytes = 0;
  resultBytes = 0;
}

/** Payload bytes by (job, item). Used by the local pool and by the coordinator. `B` is whatever a driver keeps of a block. */
export class PayloadStore<R extends ResultBytes = ResultBytes, F = unknown, B extends ItemBlock = ItemBlock> {
  readonly #jobs: Map<JobId, JobPayload<R, F, B>> = new Map();
  readonly #watch: PayloadWatch<R, B, F> | undefined;
  #itemBytes = 0;
  #resultBytes = 0;

  constructor(watch?: PayloadWatch<R, B, F>) {
    this.#watch = watch;
  }

  /** Bytes of items held, over all jobs. */
  get itemBytes(): number {
    return this.#itemBytes;
  }

  /** Bytes of values and failures held, over all jobs. A run of which only a part was accepted counts whole. */
  get resultBytes(): number {
    return this.#resultBytes;
  }

  /** Takes a block in. Blocks of a job follow each other from item 0 without a gap; throws a RangeError otherwise. */
  addBlock(job: JobId, block: B): void {
    const payload = this.#of(job);
    const { first, count } = block;
    const { byteLength } = block.bytes;
    payload.blocks.append({ first, count, block, byteLength });
    payload.itemBytes += byteLength;
    this.#itemBytes += byteLength;
    this.#watch?.held(job, block);
  }

  /** The blocks that hold these items, in order; each is the very object that came in. */
  blocksFor(job: JobId, first: number, count: number): B[] {
    const kept = this.#jobs.get(job)?.blocks.touching(first, count) ?? [];
    return kept.map(({ block }) => block);
  }

  /** The input of these items is needed no more. A block goes when its last item does; answers those that went. */
  releaseItems(job: JobId, first: number, count: number): B[] {
    const payload = this.#jobs.get(job);
    if (payload === undefined) return [];
    const gone = payload.blocks.release(first, count);
    for (const { block, byteLength } of gone) {
      payload.itemBytes -= byteLength;
      this.#itemBytes -= byteLength;
      this.#watch?.gone(job, block);
    }
    return gone.map(({ block }) => block);
  }

  /** Keeps the values of `first` … `first + count - 1`, which are all of `run` or a part of it. */
  keepResults(job: JobId, run: R, first: number = run.first, count: number = run.count): void {
    const payload = this.#of(job);
    const { byteLength } = run.bytes;
    payload.undelivered.set(first, { first, count, run, byteLength });
    payload.resultBytes += byteLength;
    this.#resultBytes += byteLength;
    this.#watch?.held(job, run);
  }

  /** Keeps the failure of an item. `byteLength`: what the driver keeps for it; 0 where it does not count them. */
  keepFailure(job: JobId, index: number, failure: F, byteLength: number = 0): void {
    const payload = this.#of(job);
    payload.undelivered.set(index, { first: index, count: 1, failure, byteLength });
    payload.resultBytes += byteLength;
    this.#resultBytes += byteLength;
    this.#watch?.held(job, failure);
  }

  /** A kept failure, delivered or not: what a job that ended with its first failure rejects with. */
  failureOf(job: JobId, index: number): F | undefined {
    const payload = this.#jobs.get(job);
    const kept =
      payload?.undelivered.get(index) ??
      payload?.delivered.find((each) => each.first === index && each.run === undefined);
    return kept?.failure;
  }

  /** These outcomes are next in the order of delivery. Throws a RangeError for one that was not kept. */
  deliver(job: JobId, first: number, count: number): Array<Outcome<R, F>> {
    const payload = this.#of(job);
    const outcomes: Array<Outcome<R, F>> = [];
    for (let at = first; at < first + count; ) {
      const kept = payload.undelivered.get(at);
      if (kept === undefined) throw new RangeError(`item ${at} of job ${job} has no outcome to deliver`);
      payload.undelivered.delete(at);
      const delivered = { ...kept, position: payload.deliveredCount };
      payload.delivered.push(delivered);
      payload.deliveredCount += kept.count;
      outcomes.push(outcomeOf(delivered, 0));
      at += kept.count;
    }
    return outcomes;
  }

  /** What was delivered from `position` on and is not acknowledged: for a consumer that comes back. */
  outcomesFrom(job: JobId, position: number): Array<Outcome<R, F>> {
    const payload = this.#jobs.get(job);
    if (payload === undefined) return [];
    const outcomes: Array<Outcome<R, F>> = [];
    for (const kept of payload.delivered) {
      const skip = Math.max(0, position - kept.position);
      if (skip < kept.count) outcomes.push(outcomeOf(kept, skip));
    }
    return outcomes;
  }

  /**
   * The outcome at `position` in the order of delivery, and those of its run after it; undefined where it was not
   * delivered yet, or is acknowledged. For a consumer that is sent one after the other, as fast as it takes them.
   */
  outcomeAt(job: JobId, position: number): Outcome<R, F> | undefined {
    const delivered = this.#jobs.get(job)?.delivered ?? [];
    let low = 0;
    let high = delivered.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { count, position: at } = delivered[middle] as (typeof delivered)[0];
      if (at + count <= position) low = middle + 1;
      else high = middle;
    }
    const kept = delivered[low];
    if (kept === undefined || kept.position > position) return undefined;
    return outcomeOf(kept, position - kept.position);
  }

  /** The consumer has the first `position` outcomes. A run goes when its last value does. */
  releaseResults(job: JobId, position: number): void {
    const payload = this.#jobs.get(job);
    if (payload === undefined) return;
    let gone = 0;
    for (const kept of payload.delivered) {
      if (kept.position + kept.count > position) break;
      gone += 1;
      payload.resultBytes -= kept.byteLength;
      this.#resultBytes -= kept.byteLength;
      this.#watch?.gone(job, payloadOf(kept));
    }
    if (gone > 0) payload.delivered.splice(0, gone);
  }

  /** Drops all that is held for a job. */
  forgetJob(job: JobId): void {
    const payload = this.#jobs.get(job);
    if (payload === undefined) return;
    this.releaseItems(job, 0, payload.blocks.end);
    this.#resultBytes -= payload.resultBytes;
    for (const kept of payload.undelivered.values()) this.#watch?.gone(job, payloadOf(kept));
    for (const kept of payload.delivered) this.#watch?.gone(job, payloadOf(kept));
    this.#jobs.delete(job);
  }

  #of(job: JobId): JobPayload<R, F, B> {
    let payload = this.#jobs.get(job);
    if (payload === undefined) {
      payload = new JobPayload();
      this.#jobs.set(job, payload);
    }
    return payload;
  }
}

/** Values or a failure: whichever it is of the two. */
function payloadOf<R extends ResultBytes, F>({ failure, run }: Kept<R, F>): R | F {
  return run === undefined ? (failure as F) : run;
}

function outcomeOf<R extends ResultBytes, F>(
  kept: Kept<R, F> & { readonly position: number },
  skip: number,
): Outcome<R, F> {
  const position = kept.position + skip;
  const first = kept.first + skip;
  if (kept.run === undefined) {
    return { kind: 'failure', position, first, count: 1, failure: kept.failure as F };
  }
  return {
    kind: 'values',
    position,
    first,
    count: kept.count - skip,
    offset: first - kept.run.first,
    run: kept.run,
  };
}
