import type { Handover } from '../messages.ts';

/** Work that was handed to an agent and has not begun: the items of each attempt. */
export class Handovers {
  readonly #kept = new Map<number, Handover>();
  /** The one that the core is being told of. */
  #incoming: Handover | undefined;

  arrived(handover: Handover): void {
    this.#incoming = handover;
  }

  /** The core takes the one that has just arrived. */
  keep(attempt: number): void {
    if (this.#incoming !== undefined) this.#kept.set(attempt, this.#incoming);
  }

  find(attempt: number): Handover | undefined {
    return this.#kept.get(attempt);
  }

  drop(attempt: number): void {
    this.#kept.delete(attempt);
  }

  crash(): void {
    this.#kept.clear();
  }
}
