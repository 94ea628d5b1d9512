import type { AttemptFact } from './failure.ts';

/**
 * One death of a child with several suspects, of whom nobody knew then which one was running.
 *
 * Each of them is charged for it, for three deaths have to be enough to convict one. The first that dies alone in the
 * same way has explained it, and from then on the others are charged for it no more. Their histories all hold this one
 * object: what is found out of one is known to all.
 */
export class SharedDeath {
  readonly attempt: AttemptFact;
  #culprit: number | undefined;

  constructor(attempt: AttemptFact) {
    this.attempt = attempt;
  }

  /** A suspect has died alone. In another way it has explained nothing. */
  compare(item: number, { exitCode, signal, withItsServer }: AttemptFact): void {
    const { attempt } = this;
    if (exitCode !== attempt.exitCode || signal !== attempt.signal) return;
    if (withItsServer === attempt.withItsServer) this.#culprit ??= item;
  }

  /** Whether it was another item that the child died of, as far as that is known. */
  clears(item: number): boolean {
    return this.#culprit !== undefined && this.#culprit !== item;
  }
}
