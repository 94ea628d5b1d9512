import type { Agent } from './agent.ts';
import type { Line } from './ready-queue.ts';

/** Jobs that share a cap on slots: those of one connection or pool. */
export class Group {
  readonly id: string;
  /** Slots that its jobs may use at once, anywhere. */
  readonly processes: number;
  /** Jobs that live. */
  jobs = 0;
  /** Its queues in the lanes. */
  readonly lines: Set<Line> = new Set();
  readonly #attempts: Map<Agent, number> = new Map();
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
    return this.jobs === 0 && this.#attempts.size === 0;
  }

  /** Whether one more attempt on this agent stays within the cap. Attempts that queue behind its own slots use no more. */
  mayUse(agent: Agent): boolean {
    return this.#slotsInUse < this.processes || (this.#attempts.get(agent) ?? 0) >= agent.slots;
  }

  started(agent: Agent): void {
    const before = this.#attempts.get(agent) ?? 0;
    this.#attempts.set(agent, before + 1);
    if (before < agent.slots) this.#slotsInUse += 1;
  }

  ended(agent: Agent): void {
    const after = (this.#attempts.get(agent) as number) - 1;
    if (after === 0) this.#attempts.delete(agent);
    else this.#attempts.set(agent, after);
    if (after < agent.slots) this.#slotsInUse -= 1;
  }

  /** An agent's slots have changed from what they were. */
  resized(agent: Agent, slotsBefore: number): void {
    const attempts = this.#attempts.get(agent) ?? 0;
    this.#slotsInUse += Math.min(attempts, agent.slots) - Math.min(attempts, slotsBefore);
  }
}
