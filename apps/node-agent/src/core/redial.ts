import type { AgentLimits } from './agent-limits.ts';

/** Errors that another try will not cure. */
const hopeless: readonly string[] = [
  'VERSION_MISMATCH',
  'REQUEST_INVALID',
  'UNAUTHENTICATED',
  'PERMISSION_DENIED',
];

/**
 * When to try again.
 *
 * Full jitter: any time from 0 to 250 ms, doubled with each failure in a row, at most 30 s. Two hundred agents that
 * lost the same coordinator at the same moment must not come back at the same moment. The chance comes from a seed, so
 * that the same events give the same commands.
 */
export class Redial {
  /** Tries in a row that led to no session. */
  failures = 0;
  /** When the next try is due; undefined while one is under way, or a session lasts. */
  nextMs: number | undefined;
  readonly #limits: AgentLimits;
  #random: number;
  #nameTakenSinceMs: number | undefined;

  constructor(limits: AgentLimits, seed: number) {
    this.#limits = limits;
    this.#random = seed | 0;
  }

  /**
   * Whether no further try can help, after a failure with this code. What is invalid once a session is open is one message; an agent
   * whose every join is invalid would never have one.
   */
  isHopeless(code: string, nowMs: number, wasOpen: boolean): boolean {
    if (wasOpen && code === 'REQUEST_INVALID') return false;
    if (hopeless.includes(code)) return true;
    if (code !== 'AGENT_NAME_TAKEN') return false;
    this.#nameTakenSinceMs ??= nowMs;
    return nowMs - this.#nameTakenSinceMs > this.#limits.nameTakenMs;
  }

  /** A try, or a session, is over: chooses when the next one comes, and says in how long. */
  failed(nowMs: number): number {
    const { backoffMs, backoffMsMax } = this.#limits;
    this.failures += 1;
    const bound = Math.min(backoffMsMax, backoffMs * 2 ** (this.failures - 1));
    const waitMs = Math.floor(this.#chance() * (bound + 1));
    this.nextMs = nowMs + waitMs;
    return waitMs;
  }

  /** A session has begun. */
  succeeded(): void {
    this.failures = 0;
    this.#nameTakenSinceMs = undefined;
  }

  /** From 0 to 1, by mulberry32: 32 bits of state, even enough for jitter. */
  #chance(): number {
    this.#random = (this.#random + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#random ^ (this.#random >>> 15), 1 | this.#random);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}
