/** Which agents may get no attempt: those that an operator has taken out of service, and those that drain by themselves. */
export class Drains {
  /** Until the operator puts them back, whatever process comes under that name. */
  readonly #byOperator = new Set<string>();
  readonly #bySelf = new Set<string>();
  readonly #instances = new Map<string, string>();

  has(agent: string): boolean {
    return this.#byOperator.has(agent) || this.#bySelf.has(agent);
  }

  /** An operator takes an agent out of service, or puts it back. */
  operated(agent: string, draining: boolean): void {
    if (draining) {
      this.#byOperator.add(agent);
      return;
    }
    this.#byOperator.delete(agent);
    this.#bySelf.delete(agent);
  }

  /** It says that it drains. */
  announced(agent: string): void {
    this.#bySelf.add(agent);
  }

  /** A new process under a name does not end because the last one was told to. */
  admitted(agent: string, instance: string): void {
    if (this.#instances.get(agent) !== instance) this.#bySelf.delete(agent);
    this.#instances.set(agent, instance);
  }

  /** Good-bye: whoever comes next under that name is another one. */
  left(agent: string): void {
    this.#bySelf.delete(agent);
  }

  /** Whoever is lost is forgotten, and comes back as one that has not said it. */
  lost(agent: string): void {
    this.#bySelf.delete(agent);
  }

  /** A new coordinator knows of none. */
  coordinatorRestarted(): void {
    this.#byOperator.clear();
    this.#bySelf.clear();
  }
}
