/** The one clock of a world: virtual milliseconds, and what is due when. Nothing happens but what stands here. */

/** Something that is due. */
export interface Due {
  atMs: number;
  /** Set by whoever does not want it any more. */
  cancelled: boolean;
}

interface Entry extends Due {
  /** Of two that are due at once, the one that was asked for first comes first. */
  readonly order: number;
  readonly act: () => void;
}

/** Times are multiples of 1/1024 ms: sums and differences of them are exact, whatever clock they are on. */
const grain = 1024;

export class Clock {
  nowMs = 0;
  #order = 0;
  readonly #heap: Entry[] = [];

  /** What is still to come, cancelled or not. */
  get size(): number {
    return this.#heap.length;
  }

  /** Does something after so many milliseconds. */
  after(ms: number, act: () => void): Due {
    return this.at(this.nowMs + ms, act);
  }

  /** Does something at a time; what is past happens as soon as possible. */
  at(atMs: number, act: () => void): Due {
    const dueMs = Math.ceil(Math.max(atMs, this.nowMs) * grain) / grain;
    const entry: Entry = { atMs: dueMs, order: this.#order++, act, cancelled: false };
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      const above = heap[parent] as Entry;
      if (!isBefore(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
    return entry;
  }

  /** Lets the next thing happen, if it is due by then; the time is then its time. False: nothing was due. */
  step(untilMs: number): boolean {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || first.atMs > untilMs) return false;
      this.#pop();
      if (first.cancelled) continue;
      this.nowMs = first.atMs;
      first.act();
      return true;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    const size = heap.length;
    if (size === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && isBefore(heap[child + 1] as Entry, heap[child] as Entry)) child += 1;
      const below = heap[child] as Entry;
      if (!isBefore(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
