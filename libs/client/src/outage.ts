import { setTimeout as delay } from 'node:timers/promises';
import { ShoalError } from '@shoal/errors';
import { Backoff } from './backoff.ts';

/** What an outage has to know of its connection. */
export interface OutageBounds {
  /** How long to wait for the coordinator's return. */
  readonly reconnectTimeoutMs: number;
  /** Aborts when nobody waits any more. */
  readonly closed: AbortSignal;
  /** Hears when it begins, and when it is over. */
  readonly onChange?: (isLost: boolean) => void;
}

/** Whether an error says that a call got lost on its way, so that it can be made again once the way is there again. */
export function isOnTheWay(error: unknown): boolean {
  return error instanceof ShoalError && (error.code === 'CONNECTION_LOST' || error.code === 'CANNOT_CONNECT');
}

/** The time during which one stream, or one call, cannot reach its coordinator. */
export class Outage {
  readonly #bounds: OutageBounds;
  readonly #backoff = new Backoff();
  #sinceMs: number | undefined;

  constructor(bounds: OutageBounds) {
    this.#bounds = bounds;
  }

  /** It works again. */
  over(): void {
    if (this.#sinceMs !== undefined) this.#bounds.onChange?.(false);
    this.#sinceMs = undefined;
    this.#backoff.reset();
  }

  /**
   * Waits until it is time for another try.
   *
   * Rejects with the error itself where another try cannot help, or when the coordinator has been away for too long;
   * with the signal's reason when the connection was closed.
   */
  async pause(error: unknown): Promise<void> {
    const { closed, onChange, reconnectTimeoutMs } = this.#bounds;
    closed.throwIfAborted();
    this.#sinceMs ??= performance.now();
    const waitMs = this.#backoff.nextMs();
    const isTooLong = performance.now() - this.#sinceMs + waitMs > reconnectTimeoutMs;
    if (!isOnTheWay(error) || isTooLong) throw error;
    onChange?.(true);
    // Whoever waits for what is lost keeps the process alive; a stream that was dropped does not.
    await delay(waitMs, undefined, { ref: false, signal: closed }).catch(() => closed.throwIfAborted());
  }
}
