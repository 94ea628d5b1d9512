import type { Agent } from './agent.ts';
import { Chain, Link } from './chain.ts';

/** An agent's place among the free agents of a lane. */
export class Berth {
  readonly agent: Agent;
  readonly link: Link<Berth>;

  constructor(agent: Agent) {
    this.agent = agent;
    this.link = new Link<Berth>(this);
  }
}

/**
 * Agents with room, best ones first: those that do nothing, those with a free slot, those with room for short shards
 * behind busy slots. Within each of these in turn, so that work spreads. Every operation takes the same time
 * however many agents there are.
 */
export class FreeAgents {
  readonly #shardsPerSlot: number;
  readonly #idle: Chain<Berth> = new Chain();
  readonly #slotFree: Chain<Berth> = new Chain();
  readonly #roomAhead: Chain<Berth> = new Chain();

  constructor(shardsPerSlot: number) {
    this.#shardsPerSlot = shardsPerSlot;
  }

  /** Puts an agent where its load belongs; behind its equals if it comes from elsewhere or was just served. */
  refresh(berth: Berth, served: boolean): void {
    const { link } = berth;
    const chain = this.#chainFor(berth.agent);
    if (chain === undefined) link.chain?.remove(link);
    else if (served || link.chain !== chain) chain.append(link);
  }

  /** Whether anyone has room for a short shard. */
  get any(): boolean {
    return (this.#idle.first ?? this.#slotFree.first ?? this.#roomAhead.first) !== undefined;
  }

  /** The best agent for a shard: with a free slot, or with `ahead` behind a busy one; not the one to avoid. */
  pick(ahead: boolean, avoid?: Agent): Agent | undefined {
    return (
      other(this.#idle, avoid) ??
      other(this.#slotFree, avoid) ??
      (ahead ? other(this.#roomAhead, avoid) : undefined)
    );
  }

  /** Whether an agent is where its load belongs. */
  isInPlace(berth: Berth): boolean {
    return berth.link.chain === this.#chainFor(berth.agent);
  }

  #chainFor(agent: Agent): Chain<Berth> | undefined {
    if (!agent.takesWork) return undefined;
    if (agent.attempts.size < agent.slots) return agent.attempts.size === 0 ? this.#idle : this.#slotFree;
    return agent.load < agent.slots * this.#shardsPerSlot ? this.#roomAhead : undefined;
  }
}

function other(chain: Chain<Berth>, avoid: Agent | undefined): Agent | undefined {
  const first = chain.first?.value.agent;
  return first !== undefined && first === avoid ? chain.first?.next?.value.agent : first;
}
