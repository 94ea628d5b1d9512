import type { Agent } from './agent.ts';
import type { History } from './blame.ts';
import { Link } from './chain.ts';
import type { Revoke } from './command.ts';
import type { AttemptId } from './identity.ts';
import type { Job } from './job.ts';
import type { Timed } from './leases.ts';
import { RangeSet } from './range-set.ts';

/** One try at a shard, on one agent. It holds its share of a slot until the agent says that it is over. */
export class Attempt implements Timed {
  readonly id: AttemptId;
  readonly job: Job;
  readonly agent: Agent;
  readonly first: number;
  readonly count: number;
  /** What its items went through before; the same for all of them. */
  readonly history: History;
  /** How much of a slot it takes, in parts of `shardsPerSlot`: a long shard takes a whole one, a short one a part. */
  readonly weight: number;
  /** Its items without an outcome. No other attempt and no queue has them. */
  readonly open: RangeSet;
  /** Why it was taken back: nothing that it reports counts, but its slot is not free yet. Undefined: it was not. */
  revoked: Revoke['reason'] | undefined;
  /** The last heartbeat that listed it. */
  listedIn = 0;
  /** Since when no heartbeat has listed it; counts only while its link is in the countdown. */
  sinceMs = 0;
  readonly link: Link<Attempt> = new Link<Attempt>(this);

  constructor(
    id: AttemptId,
    job: Job,
    agent: Agent,
    shard: { readonly first: number; readonly count: number; readonly history: History },
    weight: number,
  ) {
    this.id = id;
    this.job = job;
    this.agent = agent;
    this.first = shard.first;
    this.count = shard.count;
    this.history = shard.history;
    this.weight = weight;
    this.open = new RangeSet(shard.first, shard.count);
  }

  /** Whether what its agent says of its items counts. */
  get counts(): boolean {
    return this.revoked === undefined && !this.job.ended;
  }
}
