import { memoryOf } from './process-facts.ts';

const sampleMs = 100;

/** Resident memory of a process, at its highest in each phase of what happens around it. */
export class MemoryByPhase {
  readonly phases: Map<string, number> = new Map();
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;
  #phase = 'at rest';

  constructor(pid: number) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.#sample(), sampleMs);
  }

  /** From now on it is another phase. */
  enter(phase: string): void {
    this.#sample();
    this.#phase = phase;
  }

  /** No more samples; answers with its highest ever in MiB, which is the kernel's own and no sample can miss. */
  stop(): number {
    clearInterval(this.#timer);
    this.#sample();
    return memoryOf(this.#pid).mostMiB;
  }

  #sample(): void {
    const { nowMiB } = memoryOf(this.#pid);
    this.phases.set(this.#phase, Math.max(this.phases.get(this.#phase) ?? 0, nowMiB));
  }
}
