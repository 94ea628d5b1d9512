/** Which agents an operator has taken out of service: they may get no attempt. */
export class Drains {
  readonly #drained = new Set<string>();
  readonly #instances = new Map<string, string>();

  has(agent: string): boolean {
    return this.#drained.has(agent);
  }

  set(agent: string, draining: boolean): void {
    if (draining) this.#drained.add(agent);
    else this.#drained.delete(agent);
  }

  /** A new process under a name is not drained because the last one was. */
  admitted(agent: string, instance: string): void {
    if (this.#instances.get(agent) !== instance) this.#drained.delete(agent);
    this.#instances.set(agent, instance);
  }

  /** Good-bye: whoever comes next under that name is another one. */
  left(agent: string): void {
    this.#drained.delete(agent);
  }

  /** Whoever is lost is forgotten, and comes back as one that nobody has drained. */
  lost(agent: string): void {
    this.#drained.delete(agent);
  }

  /** A new coordinator knows of none. */
  coordinatorRestarted(): void {
    this.#drained.clear();
  }
}
