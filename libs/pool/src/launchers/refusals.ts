/**
 * What no fork server is started for, and why. What a module leaves behind on loading may be a matter of luck (a thread that
 * was about to end, a machine that was busy), so a server is tried again, twice, and then no more. One that somebody has killed (an
 * administrator, a system short of memory) says nothing of what it was to load: twice another one is tried at once.
 */

/** How long the first and the second refusal hold. */
const holdsMs = [10_000, 60_000] as const;
/** So many that were killed before they were ready are replaced at once; the next ones are refused as any other. */
const killedMax = 2;
/** Keys come and go on an agent. */
const namesMax = 256;

interface Refusal {
  readonly key: string;
  readonly why: string;
  readonly times: number;
  readonly killed: number;
  readonly untilMs: number;
}

/** One more refusal. */
export interface Refused {
  /** Whose children it would have made. */
  readonly key: string;
  /** As a part of a sentence. */
  readonly why: string;
  readonly atMs: number;
  /** Never to be tried again. */
  readonly isFinal: boolean;
  /** It was killed before it was ready. */
  readonly wasKilled?: boolean;
}

export class Refusals {
  readonly #refusals = new Map<string, Refusal>();

  /** Of the last one, or of the last one for a key, as a part of a sentence. */
  why(key?: string): string | undefined {
    return [...this.#refusals.values()].findLast((each) => key === undefined || each.key === key)?.why;
  }

  /** Whether none may be started now. */
  holds(name: string, atMs: number): boolean {
    const refusal = this.#refusals.get(name);
    return refusal !== undefined && atMs < refusal.untilMs;
  }

  /** Whether one was refused, however long ago: nobody should wait for another. */
  has(name: string): boolean {
    return this.#refusals.has(name);
  }

  add(name: string, { key, why, atMs, isFinal, wasKilled = false }: Refused): void {
    const { times, killed } = this.#refusals.get(name) ?? { times: 0, killed: 0 };
    const isReplaced = wasKilled && !isFinal && killed < killedMax;
    const forMs = isReplaced ? 0 : (holdsMs[times] ?? Number.POSITIVE_INFINITY);
    const untilMs = isFinal ? Number.POSITIVE_INFINITY : atMs + forMs;
    // The last one is the last in order.
    this.#refusals.delete(name);
    const counts = isReplaced ? { times, killed: killed + 1 } : { times: times + 1, killed };
    this.#refusals.set(name, { key, why, ...counts, untilMs });
    const [oldest] = this.#refusals.keys();
    if (this.#refusals.size > namesMax && oldest !== undefined) this.#refusals.delete(oldest);
  }

  /** A server is at work after all. */
  lift(name: string): void {
    this.#refusals.delete(name);
  }
}
