const tellEveryMs = 1_000;

interface Count {
  times: number;
  told: number;
  toldAtMs: number;
}

/** How often something happened, by name, and when it is time to tell of it: once a second, or whoever makes it happen fills the log. */
export class ToldCounts<Name extends string> {
  readonly #now: () => number;
  readonly #counts = new Map<Name, Count>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** It happened once more. */
  add(name: Name): void {
    this.#of(name).times += 1;
  }

  /** How often it happened since it was told, where that may be told now, and is taken as told; undefined: not yet. */
  toTell(name: Name): number | undefined {
    const count = this.#of(name);
    const nowMs = this.#now();
    if (nowMs - count.toldAtMs < tellEveryMs) return undefined;
    const times = count.times - count.told;
    count.told = count.times;
    count.toldAtMs = nowMs;
    return times;
  }

  /** Of those that happened at least once. */
  all(): Record<string, number> {
    return Object.fromEntries([...this.#counts].map(([name, { times }]) => [name, times]));
  }

  #of(name: Name): Count {
    let count = this.#counts.get(name);
    if (count === undefined) {
      count = { times: 0, told: 0, toldAtMs: Number.NEGATIVE_INFINITY };
      this.#counts.set(name, count);
    }
    return count;
  }
}
