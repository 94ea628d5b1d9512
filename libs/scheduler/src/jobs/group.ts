import type { Line } from '../dispatch/ready-queue.ts';
import type { Agent } from '../fleet/agent.ts';
import { Chain, type Chained } from '../structures/chain.ts';
import type { Lane } from './lane.ts';

/** What one agent has of a group: attempts, and as many of its slots as they may use at once. */
export class Share implements Chained<Share> {
  readonly group: Group;
  readonly agent: Agent;
  attempts = 0;
  /** Items of these attempts. */
  items = 0;
  /** Sum of their weights. */
  load = 0;
  /**
   * Slots that they may use at once: what the agent is told with each of them. Invariant: at most as many as there are
   * attempts. So it shrinks only when an attempt is over, and then no more than that many can run, whatever was told before.
   */
  slots = 0;
  previous: Share | undefined;
  next: Share | undefined;
  chain: Chained<Share>['chain'];

  constructor(group: Group, agent: Agent) {
    this.group = group;
    this.agent = agent;
  }
}

/** Jobs that share a cap on slots: those of one connection or pool. */
export class Group {
  readonly id: string;
  /** Slots that its jobs may use at once, anywhere. */
  readonly processes: number;
  /** Whether it may ever come to its cap. */
  readonly isCapped: boolean;
  /** Jobs that live. */
  jobs = 0;
  /** Its queues in the lanes. */
  readonly lines: Set<Line> = new Set();
  readonly #shardsPerSlot: number;
  /** Shares with room for a shard behind those that run, the one that was served longest ago first. */
  readonly #roomBehind: Chain<Share> = new Chain();
  #attempts = 0;
  #slotsInUse = 0;

  constructor(id: string, processes: number, shardsPerSlot: number) {
    this.id = id;
    this.processes = processes;
    this.isCapped = processes < Number.MAX_SAFE_INTEGER;
    this.#shardsPerSlot = shardsPerSlot;
  }

  get slotsInUse(): number {
    return this.#slotsInUse;
  }

  /** Whether nothing refers to it any more. */
  get forgotten(): boolean {
    return this.jobs === 0 && this.#attempts === 0;
  }

  /** Whether one more attempt on this agent stays within the cap. Behind all of its slots it uses no more of them. */
  mayUse(agent: Agent): boolean {
    return this.#slotsInUse < this.processes || this.shareOf(agent)?.slots === agent.slots;
  }

  /** Whether its next attempt there may use one more slot. */
  mayGrow({ agent, slots }: Share): boolean {
    return slots < agent.slots && this.#slotsInUse < this.processes;
  }

  /** Once the cap is reached: an agent of the lane on which a short shard may wait behind those of the group. */
  agentWithRoomBehind(lane: Lane, avoid: Agent | undefined): Agent | undefined {
    // Nearly always the first one is it: the others are without a session, full of what others run, or of another lane.
    for (let share = this.#roomBehind.first; share !== undefined; share = share.next) {
      const { agent } = share;
      if (agent !== avoid && lane.free.hasRoomAhead(agent) && lane.members.has(agent)) return agent;
    }
    return undefined;
  }

  /** One more attempt, at so many items, is there. Answers the share that it is part of until its end. */
  started(agent: Agent, items: number, weight: number): Share {
    let share = this.shareOf(agent);
    if (share === undefined) {
      share = new Share(this, agent);
      agent.shares.push(share);
    }
    share.attempts += 1;
    share.items += items;
    share.load += weight;
    this.#attempts += 1;
    if (this.mayGrow(share)) this.#resize(share, share.slots + 1);
    if (this.isCapped) this.#refresh(share, true);
    return share;
  }

  ended(share: Share, items: number, weight: number): void {
    const { agent } = share;
    share.attempts -= 1;
    share.items -= items;
    share.load -= weight;
    this.#attempts -= 1;
    if (share.attempts < share.slots) this.#resize(share, share.attempts);
    if (share.attempts === 0) agent.shares.splice(agent.shares.indexOf(share), 1);
    if (this.isCapped) this.#refresh(share, false);
  }

  /** An agent has other slots than before. Whoever was told how many he may use hears with the next attempt of more. */
  resized(share: Share): void {
    const { agent, attempts, slots } = share;
    const more = this.isCapped && agent.keepsGroupSlots ? 0 : Math.max(0, this.processes - this.#slotsInUse);
    this.#resize(share, Math.min(attempts, agent.slots, slots + more));
    if (this.isCapped) this.#refresh(share, false);
  }

  /** An agent has no more shares than attempts, a few for each slot. */
  shareOf(agent: Agent): Share | undefined {
    for (const share of agent.shares) if (share.group === this) return share;
    return undefined;
  }

  #resize(share: Share, slots: number): void {
    const more = slots - share.slots;
    share.slots = slots;
    share.agent.slotsInUse += more;
    this.#slotsInUse += more;
  }

  /** Only at its cap a group looks for room in its own shares. `served`: it goes behind the others. */
  #refresh(share: Share, served: boolean): void {
    const { agent, slots } = share;
    const keepsOrder = agent.keepsGroupSlots || slots === agent.slots;
    const hasRoom = keepsOrder && share.load < slots * this.#shardsPerSlot;
    if (!hasRoom) share.chain?.remove(share);
    else if (served || share.chain === undefined) this.#roomBehind.append(share);
  }
}
