import type { StartCounts } from './launcher.ts';

interface Tally {
  spawned: number;
  forked: number;
  notForked: string | undefined;
}

/** How children were started, in all and by key. */
export class StartTallies {
  readonly #all: Tally = { spawned: 0, forked: 0, notForked: undefined };
  readonly #byKey = new Map<string, Tally>();

  spawned(key: string): void {
    for (const tally of this.#of(key)) tally.spawned += 1;
  }

  forked(key: string): void {
    for (const tally of this.#of(key)) tally.forked += 1;
  }

  /** Why one that was to be forked is not, as a part of a sentence. It stays: that one was spawned, whatever comes later. */
  notForked(key: string, why: string): void {
    for (const tally of this.#of(key)) tally.notForked = why;
  }

  /** Of one key, or of all. */
  counts(key?: string): StartCounts {
    const tally = key === undefined ? this.#all : this.#byKey.get(key);
    const { spawned, forked, notForked } = tally ?? { spawned: 0, forked: 0, notForked: undefined };
    return { spawned, forked, ...(notForked === undefined ? {} : { notForked }) };
  }

  /** Count a key no longer by itself. */
  forget(key: string): void {
    this.#byKey.delete(key);
  }

  #of(key: string): readonly Tally[] {
    const known = this.#byKey.get(key);
    if (known !== undefined) return [this.#all, known];
    const tally: Tally = { spawned: 0, forked: 0, notForked: undefined };
    this.#byKey.set(key, tally);
    return [this.#all, tally];
  }
}

/** Children of several launchers together; of several reasons the first. */
export function sumOfStarts(...counts: readonly (StartCounts | undefined)[]): StartCounts {
  let [spawned, forked] = [0, 0];
  let notForked: string | undefined;
  for (const each of counts) {
    spawned += each?.spawned ?? 0;
    forked += each?.forked ?? 0;
    notForked ??= each?.notForked;
  }
  return { spawned, forked, ...(notForked === undefined ? {} : { notForked }) };
}
