/** When a coordinator has proven last that it knows this agent: what the fence goes by. */
export class Proof {
  /** When the last message was sent that a coordinator has answered, on the agent's own clock. */
  atMs = Number.NEGATIVE_INFINITY;
  fenceMs = 8_000;
  /** Without an answer for so long it stops what it runs. */
  abandonMs = 60_000;
  /** The highest epoch of a coordinator that has answered. */
  epochSeen = 0;
  readonly #now: () => number;
  readonly #renewed: () => void;
  readonly #sentAtMs = new Map<string, number>();

  /** `renewed`: a new proof is about to take the place of the last one. */
  constructor(now: () => number, renewed: () => void) {
    this.#now = now;
    this.#renewed = renewed;
  }

  /** A message leaves that will be answered. */
  sent(what: string): void {
    this.#sentAtMs.set(what, this.#now());
  }

  answered(what: string, { heartbeatMs, leaseMs }: { heartbeatMs: number; leaseMs: number }): void {
    this.#renewed();
    this.atMs = Math.max(this.atMs, this.#sentAtMs.get(what) ?? this.atMs);
    this.#sentAtMs.delete(what);
    this.fenceMs = Math.max(8_000, leaseMs - heartbeatMs);
    this.abandonMs = Math.max(60_000, 2 * leaseMs);
  }

  /** A new process has no proof. */
  begin(): void {
    this.epochSeen = 0;
    this.atMs = Number.NEGATIVE_INFINITY;
    this.#sentAtMs.clear();
  }
}
