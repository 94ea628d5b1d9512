import type { Lesson } from './sharding.ts';

/** So many kinds of jobs are remembered: beyond them the one whose job ended longest ago is forgotten. */
const kindsMax = 1_000;

/**
 * What items cost, by the kind of their job.
 *
 * Whoever maps many short lists over one function would pay for the search for the right size of a shard each time, and
 * most of them would be over before it is found.
 */
export class Experience {
  readonly #lessons: Map<string, Lesson> = new Map();

  of(kind: string | undefined): Lesson | undefined {
    return kind === undefined ? undefined : this.#lessons.get(kind);
  }

  /** A job has ended. It says nothing where none of its items was run. */
  learn(kind: string | undefined, lesson: Lesson | undefined): void {
    if (kind === undefined || lesson === undefined) return;
    this.#lessons.delete(kind);
    this.#lessons.set(kind, lesson);
    if (this.#lessons.size <= kindsMax) return;
    for (const oldest of this.#lessons.keys()) {
      this.#lessons.delete(oldest);
      return;
    }
  }
}
