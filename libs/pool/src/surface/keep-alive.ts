import { timerMsMax } from '@shoal/errors';

/**
 * Keeps this process from exiting while somebody waits for a result.
 *
 * Children and their pipes never do: an idle pool that nobody closed ends with its process, as in Python.
 */
export class KeepAlive {
  #holders = 0;
  #timer: NodeJS.Timeout | undefined;

  hold(): void {
    this.#holders += 1;
    // A timer is the cheapest thing that Node waits for; it never matters when it fires.
    this.#timer ??= setInterval(() => {}, timerMsMax);
    if (this.#holders === 1) this.#timer.ref();
  }

  release(): void {
    this.#holders -= 1;
    if (this.#holders === 0) this.#timer?.unref();
  }
}
