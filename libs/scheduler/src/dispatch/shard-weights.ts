import type { Agent } from '../fleet/agent.ts';
import type { Job } from '../jobs/job.ts';
import type { Piece } from '../jobs/pending-items.ts';
import type { SchedulerOptions } from '../options.ts';

/** With so many attempts an agent gets none that count for less than usual: the items that come gather to larger shards. */
const attemptsMax = 4_096;
/** Shards whose size is given never grow: to have more of them wait keeps none to come small, and saves the way to and fro. */
const sizedTinyFactor = 4;

/** What shards take of a slot: the shorter they are, the more of them may wait there. */
export class ShardWeights {
  readonly #options: SchedulerOptions;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /**
   * Whether a shard is done so soon that it may wait behind others for its slot. A suspect may not: it runs alone.
   * Neither may items that cannot be lost: those that wait on an agent are lost with it, begun or not.
   */
  isShort(job: Job, piece: Piece, count: number): boolean {
    if (piece.history.alone || job.spec.retries.lost === 0) return false;
    // The last items of a shard must not keep the rest of a child's calls idle: the next shards are there already.
    if (job.sharding.runsSeveralAtOnce) return true;
    const ms = job.sharding.estimateMs(count);
    return ms !== undefined && ms < this.#options.aheadBelowMs;
  }

  /** How much of a slot a short shard takes. */
  ofShort(job: Job, agent: Agent, count: number): number {
    const weight = this.#usualWeight(job, count);
    return this.#beginsAtOnce(job, agent) ? weight * job.sharding.partOfSlot(count) : weight;
  }

  /**
   * Whether its job's children there have calls free, so that a shard waits for nothing. Then what it takes of a slot goes
   * by its items: of an input that trickles each is a shard of its own, and they run beside each other.
   */
  #beginsAtOnce({ group, sharding }: Job, agent: Agent): boolean {
    if (!sharding.runsSeveralAtOnce || agent.attempts.length >= attemptsMax) return false;
    const share = group.shareOf(agent);
    if (share === undefined || group.mayGrow(share)) return true;
    return sharding.leavesCallsFree(share.items, share.slots);
  }

  /** How much of a slot a short shard takes behind others. */
  #usualWeight(job: Job, count: number): number {
    const { aheadBelowMs, shardsPerSlot, tinyBelowMs, tinyFactor } = this.#options;
    const ms = job.sharding.estimateMs(count) ?? tinyBelowMs;
    if (ms < tinyBelowMs && !this.#isLeap(job, count)) {
      return 1 / (job.spec.chunkSize === 'auto' ? tinyFactor : Math.max(tinyFactor, sizedTinyFactor));
    }
    // One that runs and one behind it are enough where they are long; and where nobody knows how long they are, more
    // would have more to regret.
    const isLong = ms * shardsPerSlot > aheadBelowMs || this.#isLeap(job, count);
    return isLong ? Math.max(1, shardsPerSlot / 2) : 1;
  }

  #isLeap({ sharding, spec }: Job, count: number): boolean {
    return spec.chunkSize === 'auto' && sharding.isLeap(count);
  }
}
