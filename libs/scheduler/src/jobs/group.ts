import type { Line } from '../dispatch/ready-queue.ts';
import type { Agent } from '../fleet/agent.ts';

/** What runs of a group on one agent. */
export interface Share {
  readonly group: Group;
  attempts: number;
}

/** Jobs that share a cap on slots: those of one connection or pool. */
export class Group {
  readonly id: string;
  /** Slots that its jobs may use at once, anywhere. */
  readonly processes: number;
  /** Jobs that live. */
  jobs = 0;
  /** Its queues in the lanes. */
  readonly lines: Set<Line> = new Set();
  #attempts = 0;
  #slotsInUse = 0;

  constructor(id: string, processes: number) {
    this.id = id;
    this.processes = processes;
  }

  get slotsInUse(): number {
    return this.#slotsInUse;
  }

  /** Whether nothing refers to it any more. */
  get forgotten(): boolean {
    return this.jobs === 0 && this.#attempts === 0;
  }

  /** Whether one more attempt on this agent stays within the cap. Attempts that queue behind its own slots use no more. */
  mayUse(agent: Agent): boolean {
    return this.#slotsInUse < this.processes || (this.#shareOf(agent)?.attempts ?? 0) >= agent.slots;
  }

  /** One more runs there. Answers the share that it is part of until its end. */
  started(agent: Agent): Share {
    let share = this.#shareOf(agent);
    if (share === undefined) {
      share = { group: this, attempts: 0 };
      agent.shares.push(share);
    }
    if (share.attempts < agent.slots) this.#slotsInUse += 1;
    share.attempts += 1;
    this.#attempts += 1;
    return share;
  }

  ended(agent: Agent, share: Share): void {
    share.attempts -= 1;
    this.#attempts -= 1;
    if (share.attempts === 0) agent.shares.splice(agent.shares.indexOf(share), 1);
    if (share.attempts < agent.slots) this.#slotsInUse -= 1;
  }

  /** An agent's slots have changed from what they were. */
  resized(agent: Agent, slotsBefore: number): void {
    const attempts = this.#shareOf(agent)?.attempts ?? 0;
    this.#slotsInUse += Math.min(attempts, agent.slots) - Math.min(attempts, slotsBefore);
  }

  /** An agent has no more shares than attempts, a few for each slot. */
  #shareOf(agent: Agent): Share | undefined {
    for (const share of agent.shares) if (share.group === this) return share;
    return undefined;
  }
}
