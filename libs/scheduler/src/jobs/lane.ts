import { ReadyQueue } from '../dispatch/ready-queue.ts';
import type { Agent } from '../fleet/agent.ts';
import { Berth, FreeAgents } from '../fleet/free-agents.ts';
import type { Job } from './job.ts';
import type { JobSpec } from './job-spec.ts';

/** What a job asks of an agent. */
export type Demand = Pick<JobSpec, 'labels' | 'encoding'>;

/** Jobs that ask for the same labels and come in the same encoding, and the agents for them. */
export class Lane {
  readonly key: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly encoding: string | undefined;
  readonly ready: ReadyQueue = new ReadyQueue();
  readonly free: FreeAgents;
  /** Jobs whose next item waits for an agent other than the one it crashed on, and that have nothing else to run. */
  readonly waitingForAnother: Set<Job> = new Set();
  /** Jobs that live. */
  jobs = 0;
  /** The job that goes first needs a whole slot and there is none: nobody else of the lane is served in this step. */
  stuck = false;
  /** Until then shards are not longer than usual, though a job be alone: one has just had to wait for another's. */
  crowdedUntilMs = 0;
  /** Agents that take work, and their slots. */
  agents = 0;
  slots = 0;
  readonly #members: Set<Agent> = new Set();

  constructor(key: string, { encoding, labels }: Demand, shardsPerSlot: number) {
    this.key = key;
    this.labels = labels;
    this.encoding = encoding;
    this.free = new FreeAgents(shardsPerSlot);
  }

  /** Lanes are told apart by what they ask for, in whatever order it is written. */
  static keyOf({ encoding, labels }: Demand): string {
    const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
    return JSON.stringify([encoding ?? null, ...sorted]);
  }

  /** Takes an agent in, if it is what the jobs ask for. */
  admit(agent: Agent): void {
    if (!agent.hasLabels(this.labels) || !agent.accepts(this.encoding)) return;
    const berth = new Berth(agent, this);
    agent.berths.push(berth);
    this.#members.add(agent);
    this.refresh(berth, false);
  }

  /** An agent's load, slots or readiness has changed. */
  refresh(berth: Berth, served: boolean): void {
    const { agent } = berth;
    const slots = agent.takesWork ? agent.slots : undefined;
    if (berth.slotsCounted !== slots) this.#recount(berth, slots);
    this.free.refresh(berth, served);
  }

  /** An agent is gone. */
  dismiss(berth: Berth): void {
    this.#recount(berth, undefined);
    berth.chain?.remove(berth);
    forget(berth);
    this.#members.delete(berth.agent);
  }

  /** Jobs without labels are the rule, and encodings are few: such a lane lives as long as the scheduler. */
  get stays(): boolean {
    return Object.keys(this.labels).length === 0;
  }

  /** Nobody asks for this any more. */
  close(): void {
    for (const agent of this.#members) forget(berthOf(agent, this) as Berth);
  }

  /** Agents that are what the jobs ask for, whether they take work or not. */
  get members(): ReadonlySet<Agent> {
    return this.#members;
  }

  /** Whether any agent that takes work is not this one. */
  hasOtherThan(agent: Agent): boolean {
    return this.agents - (berthOf(agent, this)?.slotsCounted === undefined ? 0 : 1) > 0;
  }

  #recount(berth: Berth, slots: number | undefined): void {
    const before = berth.slotsCounted;
    this.agents += Number(slots !== undefined) - Number(before !== undefined);
    this.slots += (slots ?? 0) - (before ?? 0);
    berth.slotsCounted = slots;
  }
}

/** An agent has a berth for each lane, and lanes are few. */
function berthOf(agent: Agent, lane: Lane): Berth | undefined {
  return agent.berths.find((berth) => berth.lane === lane);
}

function forget(berth: Berth): void {
  const { berths } = berth.agent;
  berths.splice(berths.indexOf(berth), 1);
}
