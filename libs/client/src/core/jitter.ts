import { backoffMs, backoffMsMax } from './client-limits.ts';

/** Chance from a seed: the same events give the same commands. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** From 0 up to, not including, 1. mulberry32: 32 bits of state, even enough for jitter. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}

/** The waits after a sign of life are those after so many failures: 400 ms at most. */
const easedTries = 2;

/**
 * How long to wait before the next try: full jitter, so that the many clients of a coordinator that comes back do not
 * all ask in the same instant.
 */
export class Jitter {
  readonly #chance: Chance;
  #tries = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** A random time below a limit that doubles with every call: 100 ms at first, 2 s at most. */
  nextMs(): number {
    const limit = Math.min(backoffMsMax, backoffMs * 2 ** this.#tries);
    this.#tries += 1;
    return this.#chance.next() * limit;
  }

  /** It was there for a moment: the next wait is a short one, though not the shortest. */
  ease(): void {
    this.#tries = Math.min(this.#tries, easedTries);
  }

  /** It went well: start small again. */
  reset(): void {
    this.#tries = 0;
  }
}
