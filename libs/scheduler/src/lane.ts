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
  readonly #counted: Map<Agent, number> = new Map();

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
    agent.berths.set(this, new Berth(agent));
    this.#members.add(agent);
    this.refresh(agent, false);
  }

  /** An agent's load, slots or readiness has changed. */
  refresh(agent: Agent, served: boolean): void {
    const berth = agent.berths.get(this);
    if (berth === undefined) return;
    const before = this.#counted.get(agent);
    const after = agent.takesWork ? agent.slots : undefined;
    if (before !== after) this.#recount(agent, before, after);
    this.free.refresh(berth, served);
  }

  /** An agent is gone. */
  dismiss(agent: Agent): void {
    const berth = agent.berths.get(this);
    if (berth === undefined) return;
    this.#recount(agent, this.#counted.get(agent), undefined);
    berth.link.chain?.remove(berth.link);
    agent.berths.delete(this);
    this.#members.delete(agent);
  }

  /** Nobody asks for these labels any more. */
  close(): void {
    for (const agent of this.#members) agent.berths.delete(this);
  }

  /** Agents that have the labels, whether they take work or not. */
  get members(): ReadonlySet<Agent> {
    return this.#members;
  }

  /** Whether any agent that takes work is not this one. */
  hasOtherThan(agent: Agent): boolean {
    return this.agents - (this.#counted.has(agent) ? 1 : 0) > 0;
  }

  #recount(agent: Agent, before: number | undefined, after: number | undefined): void {
    this.agents += Number(after !== undefined) - Number(before !== undefined);
    this.slots += (after ?? 0) - (before ?? 0);
    if (after === undefined) this.#counted.delete(agent);
    else this.#counted.set(agent, after);
  }
}
