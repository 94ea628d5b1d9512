import type { Lane } from '../jobs/lane.ts';
import { Chain, type Chained } from '../structures/chain.ts';
import type { Agent } from './agent.ts';

/** An agent's place among the free agents of a lane. */
export class Berth implements Chained<Berth> {
  readonly agent: Agent;
  readonly lane: Lane;
  /** Its slots, as far as the lane counts them: only while it takes work. */
  slotsCounted: number | undefined;
  previous: Berth | undefined;
  next: Berth | undefined;
  chain: Chained<Berth>['chain'];

  constructor(agent: Agent, lane: Lane) {
    this.agent = agent;
    this.lane = lane;
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
    const chain = this.#chainFor(berth.agent);
    if (chain === undefined) berth.chain?.remove(berth);
    else if (served || berth.chain !== chain) chain.append(berth);
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

  /** Whether an agent can take a shard behind those that it has. */
  hasRoomAhead(agent: Agent): boolean {
    return agent.takesWork && this.#hasRoom(agent);
  }

  /** Whether an agent is where its load belongs. */
  isInPlace(berth: Berth): boolean {
    return berth.chain === this.#chainFor(berth.agent);
  }

  #chainFor(agent: Agent): Chain<Berth> | undefined {
    if (!agent.takesWork) return undefined;
    if (agent.slotsInUse < agent.slots) return agent.attempts.length === 0 ? this.#idle : this.#slotFree;
    return this.#hasRoom(agent) ? this.#roomAhead : undefined;
  }

  #hasRoom(agent: Agent): boolean {
    return agent.load < agent.slots * this.#shardsPerSlot;
  }
}

function other(chain: Chain<Berth>, avoid: Agent | undefined): Agent | undefined {
  const first = chain.first?.agent;
  return first !== undefined && first === avoid ? chain.first?.next?.agent : first;
}
