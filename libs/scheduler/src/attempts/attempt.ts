import type { Revoke } from '../command.ts';
import type { Agent } from '../fleet/agent.ts';
import type { AttemptId, ItemRange } from '../identity.ts';
import type { Share } from '../jobs/group.ts';
import type { Job } from '../jobs/job.ts';
import type { Chained } from '../structures/chain.ts';
import { HistoryMap, type HistoryRange } from '../structures/history-map.ts';
import { RangeSet } from '../structures/range-set.ts';
import { type History, spotless } from './blame.ts';
import type { Timed } from './leases.ts';

/** Consecutive items, and the twin that has them too; without one nobody else has them. */
export interface SharedRange extends ItemRange {
  readonly twin?: Attempt;
}

const none: readonly Attempt[] = [];

/** What an attempt is made of. */
export interface AttemptTerms {
  readonly id: AttemptId;
  readonly job: Job;
  readonly agent: Agent;
  readonly shard: HistoryRange;
  /** What its group has on its agent. */
  readonly share: Share;
  /** How much of a slot it takes, in parts of `shardsPerSlot`: a long shard takes a whole one, a short one a part. */
  readonly weight: number;
  /** When it was handed out, on the lease clock. */
  readonly startedMs: number;
  /** The straggler whose items it is to finish first. */
  readonly original: Attempt | undefined;
}

/**
 * One try at a shard, on one agent. It holds its share of a slot until the agent says that it is over.
 *
 * The object is used again for another attempt then: with thousands of agents attempts live so long that the garbage
 * collection would carry each of them through all its generations.
 */
export class Attempt implements Timed, Chained<Attempt> {
  id: AttemptId = 0;
  first = 0;
  count = 0;
  weight = 0;
  startedMs = 0;
  /** Its items without an outcome. No queue has them, and no other attempt but its twins. */
  readonly open: RangeSet = new RangeSet(0, 0);
  /** The straggler whose items it is to finish first; undefined: there is none, or none any more. */
  original: Attempt | undefined;
  /** It was to finish the items of a straggler first. */
  isCopy = false;
  /** The attempts that are to finish its items first. No two of them have the same. Few attempts ever have any. */
  copies: Set<Attempt> | undefined;
  /** Why it was taken back: nothing that it reports counts, but its slot is not free yet. Undefined: it was not. */
  revoked: Revoke['reason'] | undefined;
  /** Longer than usual, and to be asked back when another job waits for its slot. */
  isLong = false;
  /** What has not begun of it was asked back: it counts as before. */
  isRecalled = false;
  /** The last heartbeat that listed it. */
  listedIn = 0;
  /** Since when no heartbeat has listed it; counts only while its link is in the countdown. */
  sinceMs = 0;
  previous: Attempt | undefined;
  next: Attempt | undefined;
  chain: Chained<Attempt>['chain'];
  /** Its neighbours among the attempts at its job. */
  olderOfJob: Attempt | undefined;
  newerOfJob: Attempt | undefined;
  #job: Job | undefined;
  #agent: Agent | undefined;
  #share: Share | undefined;
  #history: History = spotless;
  #histories: HistoryMap | undefined;

  /** A new attempt, in an object that none is in. */
  begin({ id, job, agent, shard, share, weight, startedMs, original }: AttemptTerms): void {
    this.id = id;
    this.first = shard.first;
    this.count = shard.count;
    this.weight = weight;
    this.startedMs = startedMs;
    this.open.reset(shard.first, shard.count);
    this.original = original;
    this.isCopy = original !== undefined;
    this.#job = job;
    this.#agent = agent;
    this.#share = share;
    this.#history = shard.history;
    if (original === undefined) return;
    original.copies ??= new Set();
    original.copies.add(this);
  }

  /** It is over and settled, and nobody knows it any more. */
  clear(): void {
    this.copies = undefined;
    this.revoked = undefined;
    this.isLong = false;
    this.isRecalled = false;
    this.listedIn = 0;
    this.#job = undefined;
    this.#agent = undefined;
    this.#share = undefined;
    this.#history = spotless;
    this.#histories = undefined;
  }

  get job(): Job {
    return this.#job as Job;
  }

  get agent(): Agent {
    return this.#agent as Agent;
  }

  get share(): Share {
    return this.#share as Share;
  }

  /** What its items went through before, and in its twins since. */
  get histories(): HistoryMap {
    const { count, first } = this;
    this.#histories ??= new HistoryMap({ first, count, history: this.#history });
    return this.#histories;
  }

  /** Whether what its agent says of its items counts. */
  get counts(): boolean {
    return this.revoked === undefined && !this.job.ended;
  }

  /** Whether all of these are items of it; of none or a part of one nothing can be said. */
  has({ first, count }: ItemRange): boolean {
    return count >= 1 && first >= this.first && first + count <= this.first + this.count;
  }

  /** Open items that nobody else has. */
  get openAlone(): number {
    let items = this.open.size;
    if (this.isAlone) return items;
    for (const twin of this.twins) items -= this.open.overlap(twin.open);
    return items;
  }

  /** Whether no other attempt has any of its items, as is so nearly always. */
  get isAlone(): boolean {
    return this.original === undefined && this.copies === undefined;
  }

  /** Attempts that may have some of its items too. */
  get twins(): Iterable<Attempt> {
    return this.original === undefined ? (this.copies ?? none) : [this.original];
  }

  /** These items, parted by who else has them. */
  *shared({ first, count }: ItemRange): Generator<SharedRange> {
    const parts: SharedRange[] = [];
    for (const twin of this.twins) {
      for (const range of twin.open.within(first, count)) parts.push({ ...range, twin });
    }
    let at = first;
    for (const part of parts.sort((a, b) => a.first - b.first)) {
      if (part.first > at) yield { first: at, count: part.first - at };
      yield part;
      at = part.first + part.count;
    }
    if (at < first + count) yield { first: at, count: first + count - at };
  }

  /** It is over: its twins have their items alone. It knows them until what it leaves behind is settled. */
  leaveTwins(): void {
    if (this.isAlone) return;
    this.original?.copies?.delete(this);
    for (const copy of this.copies ?? none) copy.original = undefined;
  }
}
