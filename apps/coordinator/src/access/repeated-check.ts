import { ShoalError } from '@shoal/errors';
import { type LimitName, limits } from '@shoal/protocol';

/** What a {@link RepeatedCheck} does. */
export interface RepeatedCheckParts {
  readonly everyMs: number;
  /** Looks, and takes over what is new. Rejects where that cannot be used. */
  readonly look: () => Promise<void>;
  /** Tells why it cannot be used: once, until the reason is another one or a look has gone well. */
  readonly complain: (reason: string) => void;
  /** Hears of a limit that is the reason, as often as that is told. */
  readonly onLimit?: (limit: LimitName) => void;
}

/** Looks at files again and again, one look at a time, until it is stopped. It does not keep the process. */
export class RepeatedCheck {
  readonly #parts: RepeatedCheckParts;
  readonly #timer: NodeJS.Timeout;
  #complained = '';
  #isLooking = false;

  constructor(parts: RepeatedCheckParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.#look(), parts.everyMs);
    this.#timer.unref();
  }

  /** Why the last look has failed; undefined where it has gone well. */
  get trouble(): string | undefined {
    return this.#complained === '' ? undefined : this.#complained;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#parts.look();
      this.#complained = '';
    } catch (error) {
      const reason = (error as Error).message;
      if (reason !== this.#complained) {
        this.#parts.complain(reason);
        for (const limit of limitsIn(error)) this.#parts.onLimit?.(limit);
      }
      this.#complained = reason;
    } finally {
      this.#isLooking = false;
    }
  }
}

/** The limits that an error names, or those that it is made of. */
function limitsIn(error: unknown): readonly LimitName[] {
  if (error instanceof AggregateError) return error.errors.flatMap(limitsIn);
  const name = error instanceof ShoalError ? String(error.facts['limitName']) : '';
  return Object.hasOwn(limits, name) ? [name as LimitName] : [];
}
