import type { Clock, Due } from './clock.ts';

/**
 * A process of the simulated world: it can stand still (SIGSTOP, a closed lid), die, and live again.
 *
 * Whatever reaches it goes through `do`: it happens at once, or when the process goes on, or, if that life is over,
 * never. So no driver on it has to think of any of the three.
 */
export class Host {
  readonly name: string;
  /** Counts its lives. */
  life = 1;
  isAlive = true;
  readonly #clock: Clock;
  /** When it went on after it had stood still, or its clock jumped, on its own clock. */
  wokeAtMs: number = Number.NEGATIVE_INFINITY;
  #isFrozen = false;
  #backlog: Array<() => void> = [];
  /** Its monotonic clock began at another time than the world's, and stands still where the whole machine sleeps. */
  #offsetMs: number;
  /** Timers, kept where the clock may jump ahead. */
  #timers: Map<Due, { readonly localMs: number; readonly ring: () => void }> | undefined;

  constructor(name: string, clock: Clock, offsetMs: number) {
    this.name = name;
    this.#clock = clock;
    this.#offsetMs = offsetMs;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /** Its own monotonic milliseconds. */
  now(): number {
    return this.#clock.nowMs + this.#offsetMs;
  }

  /** Something reaches it. */
  do(act: () => void): void {
    if (!this.isAlive) return;
    if (this.#isFrozen) this.#backlog.push(act);
    else act();
  }

  /** A timer of its own, on its own clock; it fires late where the process stands still. */
  at(localMs: number, act: () => void): Due {
    const { life } = this;
    const ring = (): void => {
      this.do(() => {
        if (this.life === life && !due.cancelled) act();
      });
    };
    // Never early, by however little: a core that is asked too soon has nothing to do, and is asked again.
    const due = this.#clock.at(localMs - this.#offsetMs + 1e-6, () => {
      if (this.#timers === undefined || this.#timers.delete(due)) ring();
    });
    this.#timers?.set(due, { localMs, ring });
    return due;
  }

  /** To be said before its first timer, where its clock jumps ahead one day. */
  mayJump(): void {
    this.#timers = new Map();
  }

  /** Its clock jumps ahead while it runs: what was due meanwhile is due now. */
  jump(ms: number): void {
    this.#offsetMs += ms;
    this.wokeAtMs = this.now();
    for (const [due, { localMs, ring }] of this.#timers ?? []) {
      this.#clock.at(localMs - this.#offsetMs + 1e-6, () => {
        if (this.#timers?.delete(due) && !due.cancelled) ring();
      });
    }
  }

  after(ms: number, act: () => void): Due {
    return this.at(this.now() + ms, act);
  }

  freeze(): void {
    this.#isFrozen = true;
  }

  /** Goes on. `first` comes before everything that waits; `sleptMs` is what its clock has missed. */
  thaw(first: () => void = () => {}, sleptMs: number = 0): void {
    if (!this.#isFrozen) return;
    this.#isFrozen = false;
    this.#offsetMs -= sleptMs;
    this.wokeAtMs = this.now();
    if (!this.isAlive) return;
    first();
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const act of backlog) this.do(act);
  }

  /** Its process ends: nothing that was on its way to this life is heard. */
  die(): void {
    this.isAlive = false;
    this.#backlog = [];
    this.life += 1;
  }

  /** A new process begins. */
  revive(): void {
    this.isAlive = true;
    this.#isFrozen = false;
  }
}
