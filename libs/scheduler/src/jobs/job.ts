import { JobAttempts } from '../attempts/job-attempts.ts';
import type { JobOutcome } from '../command.ts';
import type { Line } from '../dispatch/ready-queue.ts';
import type { ItemRange, JobId } from '../identity.ts';
import type { SchedulerOptions } from '../options.ts';
import type { HoldingWindow } from '../snapshot.ts';
import { BlockList } from '../structures/block-list.ts';
import { Seat } from '../structures/heap.ts';
import type { Ranked } from '../structures/rank-queue.ts';
import { ReorderBuffer } from '../structures/reorder-buffer.ts';
import type { Group } from './group.ts';
import type { JobSpec } from './job-spec.ts';
import { PendingItems } from './pending-items.ts';
import { type Lesson, Sharding } from './sharding.ts';

/** What pushed items weigh, block by block. */
interface WeighedBlock extends ItemRange {
  readonly bytes: number;
}

/**
 * One `map` call while it lives.
 *
 * Invariant: each pushed item is in exactly one place: pending, running, or settled. What runs is open in one attempt,
 * or in a straggler and one copy of it.
 */
export class Job implements Ranked<Job> {
  readonly id: JobId;
  readonly spec: JobSpec;
  readonly line: Line;
  readonly sharding: Sharding;
  readonly pending: PendingItems = new PendingItems();
  readonly outcomes: ReorderBuffer;
  /** Attempts that agents hold. */
  readonly attempts: JobAttempts = new JobAttempts();
  /** Its rank in the queue while nothing of it runs: what its priority is worth. */
  readonly rankIdle: number;
  /** Sum of their weights: what fairness goes by. */
  load = 0;
  /** When it was last served or, before that, when it came, as a rising number. */
  turn = 0;
  /** Nothing of it was given to an agent. */
  isNew = true;
  /** It has asked others for their slots, and has been given none since. */
  hasAskedBack = false;
  level: Ranked<Job>['level'];
  ahead: Job | undefined;
  behind: Job | undefined;
  placedTurn = 0;
  strayed: Ranked<Job>['strayed'];
  readonly wakeSeat: Seat<Job> = new Seat<Job>(this);
  /** When the scheduler has to look at it again. */
  wakeAtMs: number | undefined;

  pushed = 0;
  inputEnded = false;
  /** The last grant. */
  granted = 0;
  succeeded = 0;
  failed = 0;
  retried = 0;
  /** Items that got a second attempt to beat a straggler. */
  speculated = 0;
  /** Those of them whose second attempt was first. */
  speculationWins = 0;
  /** When it is looked at for stragglers; undefined: it is not pure, or has nothing on its way. */
  stragglersAtMs: number | undefined;
  /** Open items of its attempts, each counted once. */
  running = 0;
  /** Bytes of items that are held. */
  itemBytes = 0;
  /** Set once it is clear how it ends; carried out at the end of the step. */
  ending: JobOutcome | undefined;
  /** When that is carried out at the latest: with `failFast` results of earlier items may be on their way. */
  endsAtMs = 0;
  /** Carried out. */
  ended = false;
  /** It changed in this step, and whoever changed next. */
  touched = false;
  touchedNext: Job | undefined;
  readonly #blocks: BlockList<WeighedBlock> = new BlockList();

  /** `guess`: what items of its kind have cost before. */
  constructor(id: JobId, spec: JobSpec, line: Line, options: SchedulerOptions, guess?: Lesson) {
    this.id = id;
    this.spec = spec;
    this.line = line;
    // Not minus: 0 would be a -0, and that a fraction to the compiler.
    this.rankIdle = 0 - spec.priority * 2 ** 40;
    this.sharding = new Sharding(spec.chunkSize, options, spec.concurrentTasks, guess);
    this.outcomes = new ReorderBuffer(spec.ordered);
  }

  get group(): Group {
    return this.line.group;
  }

  /** The number of items, once it is known. */
  get total(): number | undefined {
    return this.inputEnded ? this.pushed : this.spec.totalItems;
  }

  /** Every item that there is was delivered. */
  get complete(): boolean {
    return this.inputEnded && this.outcomes.delivered === this.pushed;
  }

  /** Takes the next items of the input in. */
  push(count: number, bytes: number): void {
    this.#blocks.append({ first: this.pushed, count, bytes });
    this.pushed += count;
    this.itemBytes += bytes;
    this.pending.append(count);
  }

  /** The input of these items is needed no more. */
  releaseItems(first: number, count: number): void {
    for (const block of this.#blocks.release(first, count)) this.itemBytes -= block.bytes;
  }

  /** What the items around this one weigh, on average. */
  bytesPerItemAt(item: number): number {
    const block = this.#blocks.at(item);
    return block === undefined ? 0 : block.bytes / block.count;
  }

  /**
   * Ends a shard where a block ends, if one ends in its last quarter: the rest of a block that is cut in two would
   * travel to two agents. Earlier it would cost more than that in shards that are too short.
   */
  roundToBlock(first: number, count: number): number {
    const end = first + count;
    const last = this.#blocks.at(end - 1);
    if (last === undefined || last.first + last.count === end) return count;
    const whole = last.first - first;
    return whole >= count * 0.75 ? whole : count;
  }

  /** Whether it waits for results before its end, which the consumer would have been handed before the failure. */
  isEndingSoon(nowMs: number): boolean {
    const { ending } = this;
    if (ending?.state !== 'failedFast' || nowMs >= this.endsAtMs || this.running === 0) return false;
    // Once the failure itself was delivered there is nothing before it that could come.
    return this.outcomes.delivered <= ending.index;
  }

  /** The consumer has stopped taking: what it was sent and has not acknowledged fills the window. */
  get pausedByConsumer(): boolean {
    return this.outcomes.unacknowledgedBytes >= this.spec.windowBytes;
  }

  /**
   * Whether these items may run as far as memory goes.
   *
   * When results fill the window, or will when all that runs is done, nothing new starts. Except the item that an
   * ordered consumer waits for: everything held waits behind it, and only it can make room.
   */
  hasRoomFor(first: number): boolean {
    const { outcomes, spec } = this;
    if (outcomes.unacknowledgedBytes >= spec.windowBytes) return false;
    const expected = this.running * this.sharding.resultBytesPerItem;
    if (outcomes.bytes + expected < spec.windowBytes) return true;
    return spec.ordered && first === outcomes.delivered;
  }

  /** Items and results of it fill its window, in bytes. */
  #isFull(): boolean {
    return this.itemBytes + this.outcomes.bytes >= this.spec.windowBytes;
  }

  /** The window because of which its producer may push nothing now; undefined: it may, or has nothing left to push. */
  get heldBy(): HoldingWindow | undefined {
    if (this.ending !== undefined || this.pushed === this.total || this.granted > this.pushed)
      return undefined;
    return this.#isFull() ? 'windowBytes' : 'windowItems';
  }

  /** The grant that its producer should have, if that is news worth telling. */
  nextGrant(): number | undefined {
    if (this.inputEnded || this.ending !== undefined) return undefined;
    const { windowItems } = this.spec;
    if (this.#isFull()) return this.granted > this.pushed ? this.pushed : undefined;
    const upTo = this.outcomes.acknowledged + windowItems;
    // A grant for each acknowledged item would be a message for each: an eighth of the window at a time will do,
    // unless the producer stands still.
    const worthTelling = this.granted <= this.pushed ? 1 : Math.max(1, windowItems >>> 3);
    return upTo - this.granted >= worthTelling ? upTo : undefined;
  }

  /** When time alone changes something for it: a retry, a straggler, the end of a search for another agent, its deadline. */
  nextWakeMs(nowMs: number): number | undefined {
    // What has come to its end already does not end by its deadline.
    const endMs = this.ending === undefined ? this.spec.deadlineAtMs : this.endsAtMs;
    const next = this.stragglersAtMs === undefined ? endMs : earlier(endMs, this.stragglersAtMs);
    return this.pending.isUntroubled ? next : earlier(next, this.pending.nextWakeMs(nowMs));
  }
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a;
}
