/**
 * How many items make a shard.
 *
 * A shard costs about 250 microseconds on its way through all hops, whatever is in it. Short tasks want many items a
 * shard, long ones few, and the last shards of a job must be small or everyone waits for one. So: start with single
 * items, or with what items of the job's kind have cost before; measure, grow towards `shardMs` of work; never beyond
 * what Python's `map` would cut, except where that would make shards too short to pay for their way.
 */
import type { SchedulerOptions } from '../options.ts';

/** A shard grows by this factor at most while nothing as big was measured: one slow item behind fast ones must not hide in thousands. */
const growthMax = 32;
/** So many times as large as what was measured is a leap: more than the ups and downs of what items cost. */
const leap = 4;
/** How much of the past a new measurement leaves in place. */
const memory = 0.8;
/** A power of two, so that parts of slots add up exactly; far more than a slot runs items at once. */
const partsOfSlot = 2 ** 20;
/** Decoding and encoding cost an item this much even if its function does nothing. */
const handlingMsPerItem = 0.0002;

/** A guess is one of what many items take together: of few of them each may take unlike all before it. */
const guessedItemsMin = 64;
/** A guess that is so many times too low is no guess: what was cut by it is cut again. */
const wrongFactor = 4;

/** Shards are longer than usual only of items that take at most this part of `shardMs`. */
const longItemShare = 0.25;
/** A long shard may turn out so many times as long as was aimed at. */
const longMargin = 1.25;

/** What the cut of the next shard depends on. */
export interface ShardRoom {
  /** Items that could run now. */
  readonly available: number;
  /** Items of the job that no agent has, those still to be pushed included where their number is known. */
  readonly remaining: number;
  /** Items that the job has in all; undefined where that is not known. */
  readonly total: number | undefined;
  /** Slots that could work on this job. */
  readonly slots: number;
  /** Size of the next items, on average. */
  readonly bytesPerItem: number;
  /** No other job waits for these slots, and what has not begun of a shard can be asked back when one comes. */
  readonly isAlone: boolean;
}

/** What the items of a job have cost: a guess at what those of the next one of its kind will. */
export interface Lesson {
  readonly msPerItem: number;
  readonly resultBytesPerItem: number;
  /** The largest shard of it. */
  readonly largest: number;
}

/** Cuts the shards of one job. */
export class Sharding {
  readonly #chunkSize: number | 'auto';
  readonly #options: SchedulerOptions;
  readonly #concurrentTasks: number;
  #runMs = 0;
  #bytes = 0;
  #items = 0;
  #largest = 0;
  /** What it knows is of another job. */
  #isGuess = false;

  constructor(
    chunkSize: number | 'auto',
    options: SchedulerOptions,
    concurrentTasks = 1,
    guess: Lesson | undefined = undefined,
  ) {
    this.#chunkSize = chunkSize;
    this.#options = options;
    this.#concurrentTasks = concurrentTasks;
    if (guess === undefined) return;
    this.#isGuess = true;
    this.#items = 1;
    this.#runMs = guess.msPerItem;
    this.#bytes = guess.resultBytesPerItem;
    this.#largest = guess.largest;
  }

  /**
   * Takes in what consecutive results cost. True where that shows that the job was cut by a wrong guess: `largest` items, which an
   * agent may have been given together, keep others waiting.
   */
  observe(items: number, runMs: number, bytes: number, largest: number = items): boolean {
    const guessedMs = this.#isGuess ? this.#msPerItem() : undefined;
    if (guessedMs !== undefined) this.#forgetGuess();
    this.#items = this.#items * memory + items;
    this.#runMs = this.#runMs * memory + runMs;
    this.#bytes = this.#bytes * memory + bytes;
    this.#largest = Math.max(this.#largest, items);
    const { aheadBelowMs, guessedMsMax } = this.#options;
    if (guessedMs === undefined || guessedMsMax === 0 || this.#chunkSize !== 'auto') return false;
    const ms = this.#msPerItem();
    return ms > guessedMs * wrongFactor && ms * largest > aheadBelowMs;
  }

  /** A whole shard of this size was run. */
  observeShard(items: number): void {
    if (this.#isMeasured()) this.#largest = Math.max(this.#largest, items);
  }

  /** Size of a result, on average; 0 while none is known. */
  get resultBytesPerItem(): number {
    return this.#items === 0 ? 0 : this.#bytes / this.#items;
  }

  /** What jobs of its kind can learn from it; undefined while nothing is measured. */
  get lesson(): Lesson | undefined {
    if (!this.#isMeasured()) return undefined;
    const { resultBytesPerItem } = this;
    return { msPerItem: this.#runMs / this.#items, resultBytesPerItem, largest: this.#largest };
  }

  /**
   * How long a shard will keep a slot busy; undefined while nothing is measured. A guess is a reason to let one wait where it says
   * that many items together take no time: they can be asked back when that was wrong.
   */
  estimateMs(items: number): number | undefined {
    if (this.#items === 0) return undefined;
    const ms = this.#msPerItem() * items;
    if (!this.#isGuess) return ms;
    const isShort =
      this.#chunkSize === 'auto' && items >= guessedItemsMin && ms <= this.#options.guessedMsMax;
    return isShort ? ms : undefined;
  }

  /** How long a shard takes from its first item to its last on a slot of its own; undefined while nothing is measured. */
  expectedMs(items: number): number | undefined {
    if (!this.#isMeasured()) return undefined;
    const rounds = Math.ceil(items / this.#concurrentTasks);
    return rounds * (this.#runMs / this.#items + handlingMsPerItem);
  }

  /** Whether a slot runs several items at once, so that one shard cannot keep it busy to its end. */
  get runsSeveralAtOnce(): boolean {
    return this.#concurrentTasks > 1;
  }

  /** The part of what a slot runs at once that these items are. Such parts add up exactly. */
  partOfSlot(items: number): number {
    return Math.min(1, Math.ceil((items * partsOfSlot) / this.#concurrentTasks) / partsOfSlot);
  }

  /** Whether these items leave calls free on so many slots. */
  leavesCallsFree(items: number, slots: number): boolean {
    return items < slots * this.#concurrentTasks;
  }

  /**
   * Whether a shard of this size is a leap in the dark: what was measured is much smaller. The more of them are on their
   * way, the more there is to regret when its items turn out otherwise.
   */
  isLeap(items: number): boolean {
    return this.#isMeasured() && items >= this.#largest * leap;
  }

  /** The size of the next shard: at least 1, at most what is available. */
  next(room: ShardRoom): number {
    const { shardMsMin, shardBytesMax } = this.#options;
    const evenly = Math.ceil(room.available / room.slots);
    const bytesPerItem = Math.max(room.bytesPerItem, this.resultBytesPerItem);
    const withinBytes = bytesPerItem > 0 ? shardBytesMax / bytesPerItem : Number.POSITIVE_INFINITY;
    // A child that awaits many items at once needs as many from the first shard on: it would wait for the others.
    const atOnce = Math.max(1, Math.floor(Math.min(this.#concurrentTasks, evenly, withinBytes)));
    if (this.#chunkSize !== 'auto') {
      return Math.min(this.#chunkSize * Math.ceil(atOnce / this.#chunkSize), room.available);
    }
    if (this.#items === 0) return atOnce;
    const wanted = Math.min(
      this.#aimMs(room.isAlone) / this.#msPerItem(),
      withinBytes,
      this.#largest * growthMax,
    );
    // Python's cut of the whole is the bound; towards the end a half of what is left is shared among the slots.
    const python = Math.ceil((room.total ?? room.remaining) / (4 * room.slots));
    const fairShare = Math.min(python, Math.ceil(room.remaining / (2 * room.slots)), evenly);
    // What is left is shared evenly while that makes no crumbs.
    const least = shardMsMin / this.#msPerItem();
    const worthwhile = this.#isGuess
      ? this.#piece(room, evenly)
      : Math.max(Math.min(least, evenly), least / 2);
    return Math.max(atOnce, Math.floor(Math.min(wanted, Math.max(fairShare, worthwhile), room.available)));
  }

  /**
   * The cut of a job by a guess: two pieces a slot where they are short, for what a piece costs on its way is most of what it costs,
   * and Python's four otherwise. Made whatever has been pushed by now: the rest is on its way. Where nobody knows how many items
   * there will be, those that are there make no crumbs. 0: they are not short, or few.
   */
  #piece({ slots, total }: ShardRoom, evenly: number): number {
    const { guessedMsMax, tinyBelowMs } = this.#options;
    const ms = this.#msPerItem();
    const tiny = Math.min(evenly, tinyBelowMs / ms);
    const isShort = (items: number): boolean => items >= guessedItemsMin && items * ms <= guessedMsMax;
    if (total === undefined) return isShort(tiny) ? tiny : 0;
    for (const pieces of [2, 4]) {
      const items = Math.ceil(total / (pieces * slots));
      if (isShort(items)) return items;
    }
    return 0;
  }

  /**
   * Whether a shard of this size is longer than usual, for its job is alone. Then it may wait behind another as well: both are asked
   * back when somebody comes.
   */
  isLong(items: number): boolean {
    const ms = this.mayBeLong ? this.#msPerItem() * items : 0;
    return ms > this.#options.shardMs && ms < this.#options.longShardMs * longMargin;
  }

  /** The work that a shard aims at. */
  #aimMs(isAlone: boolean): number {
    const { longShardMs, shardMs } = this.#options;
    return isAlone && this.mayBeLong ? longShardMs : shardMs;
  }

  /**
   * Whether its shards may be longer than usual. What runs already is waited for, so items have to be short by measurement;
   * and what is awaited beside others may take for ever.
   */
  get mayBeLong(): boolean {
    const isMeasured = this.#chunkSize === 'auto' && this.#concurrentTasks === 1 && this.#isMeasured();
    return isMeasured && this.#msPerItem() <= this.#options.shardMs * longItemShare;
  }

  #isMeasured(): boolean {
    return this.#items > 0 && !this.#isGuess;
  }

  #forgetGuess(): void {
    this.#isGuess = false;
    this.#items = 0;
    this.#runMs = 0;
    this.#bytes = 0;
    this.#largest = 0;
  }

  #msPerItem(): number {
    // What runs beside others takes a part of its slot's time.
    return this.#runMs / this.#items / this.#concurrentTasks + handlingMsPerItem;
  }
}
