/**
 * Whose fork servers die too often. Counted by key: what one submitter's tasks do to their servers is no reason to spawn the
 * children of another.
 */

/** A task can kill its server. More deaths than this within the time, and children of its key are spawned from then on. */
const deathsMax = 5;
const withinMs = 60_000;
/** Keys come and go on an agent. */
const keysMax = 256;

export class ServerDeaths {
  readonly #atMs = new Map<string, readonly number[]>();

  /** A server of this key has died at work. True: no other should take its place. */
  add(key: string, atMs: number): boolean {
    const deaths = [...(this.#atMs.get(key) ?? []), atMs].filter((at) => at >= atMs - withinMs);
    // The last one is the last in order.
    this.#atMs.delete(key);
    this.#atMs.set(key, deaths.slice(-deathsMax));
    const [oldest] = this.#atMs.keys();
    if (this.#atMs.size > keysMax && oldest !== undefined) this.#atMs.delete(oldest);
    return deaths.length > deathsMax;
  }
}
