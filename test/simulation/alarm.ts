import type { Due } from './clock.ts';
import type { Host } from './host.ts';

/** The timer of a core on its host: it rings when the core says that something is due. */
export class Alarm {
  readonly #host: Host;
  readonly #ring: () => void;
  #due: Due | undefined;
  #dueMs: number | undefined;

  constructor(host: Host, ring: () => void) {
    this.#host = host;
    this.#ring = ring;
  }

  /** On the host's own clock; undefined: nothing is due. */
  set(dueMs: number | undefined): void {
    if (dueMs === this.#dueMs && this.#due?.cancelled === false) return;
    this.cancel();
    this.#dueMs = dueMs;
    this.#due = undefined;
    if (dueMs === undefined) return;
    this.#due = this.#host.at(dueMs, () => {
      this.forget();
      this.#ring();
    });
  }

  cancel(): void {
    if (this.#due !== undefined) this.#due.cancelled = true;
  }

  /** It has rung, or the process that it was for is gone. */
  forget(): void {
    this.#due = undefined;
    this.#dueMs = undefined;
  }
}
