/**
 * Jobs that a caller has handed over and the backend has not seen yet: their function is still being found.
 *
 * `close()` takes no new work but finishes what was given before, and these were given before.
 */
export class Arrivals {
  #count = 0;
  #emptied: PromiseWithResolvers<void> | undefined;

  /** A job is on its way. Each is followed by one {@link arrived}. */
  expect(): void {
    this.#count += 1;
  }

  /** The backend has it, or it was refused. */
  arrived(): void {
    this.#count -= 1;
    if (this.#count > 0) return;
    this.#emptied?.resolve();
    this.#emptied = undefined;
  }

  /** Resolves when none is on its way; undefined where none is now. */
  whenNone(): Promise<void> | undefined {
    if (this.#count === 0) return undefined;
    this.#emptied ??= Promise.withResolvers();
    return this.#emptied.promise;
  }
}
