/**
 * Whether forking children pays, by measurement: of each key, how long its children take to start and how long they live
 * then. Starting costs a spawned child about as much CPU as time; a forked one has no helper threads for its garbage and its
 * compiler, which costs a share of its life. So forking pays where lives are short against starts.
 */

/** Lives that are looked at: the last ones of a key. Before there are so many, nobody knows, but for what follows. */
const livesWanted = 16;
/** So many are enough where each was shorter than one start: then most of the work is starting. */
const shortLivesWanted = 4;
/** Forking begins to pay below so many starts a life, and ends above so many: not to go to and fro between them. */
const paysBelow = 4;
const paysNoMoreAbove = 8;
/** What a spawned child loads in its life, a forked one has loaded already: its life is that much shorter. */
const preloadFactor = 8;
const keysMax = 256;

interface Measured {
  /** Of spawned children, the last one counting a quarter; undefined before the first. */
  startMs: number | undefined;
  readonly livesMs: number[];
  pays: boolean;
}

export class StartPolicy {
  readonly #keys = new Map<string, Measured>();

  /** A spawned child's first words came so long after its launch. */
  started(key: string, ms: number): void {
    const measured = this.#of(key);
    measured.startMs = measured.startMs === undefined ? ms : 0.75 * measured.startMs + 0.25 * ms;
  }

  /** A child left as planned, so long after its first words. */
  ended(key: string, lifeMs: number, isPreloaded: boolean): void {
    const measured = this.#of(key);
    const { livesMs, startMs } = measured;
    livesMs.push(lifeMs);
    if (livesMs.length > livesWanted) livesMs.shift();
    if (startMs === undefined) return;
    const factor = isPreloaded ? preloadFactor : 1;
    if (livesMs.length < livesWanted) {
      if (livesMs.length === shortLivesWanted) measured.pays = Math.max(...livesMs) / factor < startMs;
      return;
    }
    const ratio = median(livesMs) / startMs / factor;
    measured.pays = measured.pays ? ratio <= paysNoMoreAbove : ratio < paysBelow;
  }

  choose(key: string): 'spawn' | 'fork' {
    return this.#keys.get(key)?.pays === true ? 'fork' : 'spawn';
  }

  #of(key: string): Measured {
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    // Keys come and go on an agent; the oldest is measured again if it comes back.
    const [oldest] = this.#keys.keys();
    if (this.#keys.size >= keysMax && oldest !== undefined) this.#keys.delete(oldest);
    const measured: Measured = { startMs: undefined, livesMs: [], pays: false };
    this.#keys.set(key, measured);
    return measured;
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
