import type { Agent } from './agent.ts';
import { Berth, FreeAgents } from './free-agents.ts';
import type { Job } from './job.ts';
import { ReadyQueue } from './ready-queue.ts';

/** Jobs that ask for the same labels, and the agents that have them. */
export class Lane {
  readonly key: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ready: ReadyQueue = new ReadyQueue();
  readonly free: FreeAgents;
  /** Jobs whose next item waits for an agent other than the one it crashed on, and that have nothing else to run. */
  readonly waitingForAnother: Set<Job> = new Set();
  /** Jobs that live. */
  jobs = 0;
  /** The job that goes first needs a whole slot and there is none: nobody else of the lane is served in this step. */
  stuck = false;
  /** Agents that take work, and their slots. */
  agents = 0;
  slots = 0;
  readonly #members: Set<Agent> = new Set();

  constructor(key: string, labels: Readonly<Record<string, string>>, shardsPerSlot: number) {
    this.key = key;
    this.labels = labels;
    this.free = new FreeAgents(shardsPerSlot);
  }

  /** Lanes are told apart by what they ask for, in whatever order it is written. */
  static keyOf(labels: Readonly<Record<string, string>>): string {
    return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Takes an agent in, if it has the labels. */
  admit(agent: Agent): void {
    for (const [label, value] of Object.entries(this.labels)) {
      if (agent.labels[label] !== value) return;
    }
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

  /** Nobody asks for these labels any more. */
  close(): void {
    for (const agent of this.#members) forget(berthOf(agent, this) as Berth);
  }

  /** Agents that have the labels, whether they take work or not. */
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
