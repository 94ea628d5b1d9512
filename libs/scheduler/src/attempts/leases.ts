import { Chain, type Chained } from '../structures/chain.ts';

/**
 * The clock that leases run on: it stands still while the driver stalls, so that nobody is judged for the
 * scheduler's own sleep.
 */
export class LeaseClock {
  #nowMs = 0;
  #stalledMs = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Moves on to the driver's time. */
  advance(atMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, atMs - this.#stalledMs);
  }

  /** Gives everyone this much time more. The clock never goes back: it waits until the driver's has caught up. */
  credit(stalledMs: number): void {
    this.#stalledMs += stalledMs;
  }

  /** A time of this clock, on the driver's clock. */
  toDriverMs(leaseMs: number): number {
    return leaseMs + this.#stalledMs;
  }
}

/** Someone whose time runs. */
export interface Timed {
  /** When it began to run, on the lease clock. */
  sinceMs: number;
}

/**
 * Times that run out: of leases, of graces, of confirmations. All of one kind last equally long, so the order of
 * arrival is the order of running out, and a queue does for a heap.
 */
export class Countdown<T extends Timed & Chained<T>> {
  readonly #clock: LeaseClock;
  readonly #durationMs: () => number;
  readonly #running: Chain<T> = new Chain();

  constructor(clock: LeaseClock, durationMs: () => number) {
    this.#clock = clock;
    this.#durationMs = durationMs;
  }

  /** Starts it, or starts it anew. */
  start(member: T): void {
    member.sinceMs = this.#clock.nowMs;
    this.#running.append(member);
  }

  stop(member: T): void {
    if (member.chain === this.#running) this.#running.remove(member);
  }

  isRunning(member: T): boolean {
    return member.chain === this.#running;
  }

  /** The next one whose time has run out; it is out of the countdown. */
  takeDue(): T | undefined {
    const first = this.#running.first;
    if (first === undefined || first.sinceMs + this.#durationMs() > this.#clock.nowMs) return undefined;
    this.#running.remove(first);
    return first;
  }

  /** When the next one runs out, on the driver's clock. */
  nextMs(): number | undefined {
    const first = this.#running.first;
    return first && this.#clock.toDriverMs(first.sinceMs + this.#durationMs());
  }
}
