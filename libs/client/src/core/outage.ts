import { type Chance, Jitter } from './jitter.ts';

/** The time during which one stream, or one call, cannot reach its coordinator: when to try again, and when to give up. */
export class Outage {
  readonly #reconnectTimeoutMs: number;
  readonly #jitter: Jitter;
  #sinceMs: number | undefined;

  constructor(reconnectTimeoutMs: number, chance: Chance) {
    this.#reconnectTimeoutMs = reconnectTimeoutMs;
    this.#jitter = new Jitter(chance);
  }

  /** When it failed first; undefined where something has come since. */
  get sinceMs(): number | undefined {
    return this.#sinceMs;
  }

  /** Nothing has come since a failure. */
  get lasts(): boolean {
    return this.#sinceMs !== undefined;
  }

  /** It failed once more. When to try again; undefined when that would be too late. */
  failed(nowMs: number): number | undefined {
    this.#sinceMs ??= nowMs;
    const retryAtMs = nowMs + this.#jitter.nextMs();
    return retryAtMs - this.#sinceMs > this.#reconnectTimeoutMs ? undefined : retryAtMs;
  }

  /** The coordinator was heard. A stream that only opens and breaks again is opened somewhat more slowly than the first time. */
  over(): void {
    this.#sinceMs = undefined;
    this.#jitter.ease();
  }

  /** It works: not just heard, but further than before. */
  progressed(): void {
    this.#sinceMs = undefined;
    this.#jitter.reset();
  }
}
