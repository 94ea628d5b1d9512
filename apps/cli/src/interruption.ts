/** The signals that end a command in order when they come first, and at once when they come again. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A signal that somebody may send us. */
type EndingSignal = (typeof signals)[number];

const numbers: Readonly<Record<EndingSignal, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** The exit code that says by which signal a process ended: 130 for Ctrl-C. */
export const exitCodeOfSignal = (signal: EndingSignal): number => 128 + numbers[signal];

/**
 * Ctrl-C and its like: the first one asks for an orderly end, the second one ends this process on the spot.
 *
 * What this process started is gone in either case: pools and agents are watched by a reaper of their own.
 */
export class Interruption {
  readonly #off: () => void;
  #signal: EndingSignal | undefined;

  /** `onFirst` runs once, at the first signal. */
  constructor(onFirst: (signal: EndingSignal) => void) {
    const handle = (signal: EndingSignal): void => {
      if (this.#signal !== undefined) process.exit(exitCodeOfSignal(signal));
      this.#signal = signal;
      onFirst(signal);
    };
    for (const signal of signals) process.on(signal, handle);
    this.#off = () => {
      for (const signal of signals) process.off(signal, handle);
    };
  }

  /** Which signal came, if one did. */
  get signal(): EndingSignal | undefined {
    return this.#signal;
  }

  /** From now on signals do what they do by default. */
  [Symbol.dispose](): void {
    this.#off();
  }
}
