import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ShoalError } from '@shoal/errors';
import { Chance, Outage } from './core/index.ts';

/** What a reconnection has to know of its connection. */
export interface ReconnectionBounds {
  /** How long to wait for the coordinator's return. */
  readonly reconnectTimeoutMs: number;
  /** Aborts when nobody waits any more. */
  readonly closed: AbortSignal;
}

/** Whether an error says that a call got lost on its way, so that it can be made again once the way is there again. */
export function isOnTheWay(error: unknown): boolean {
  return error instanceof ShoalError && (error.code === 'CONNECTION_LOST' || error.code === 'CANNOT_CONNECT');
}

/** The time during which one call cannot reach its coordinator, waited out. */
export class Reconnection {
  readonly #bounds: ReconnectionBounds;
  readonly #outage: Outage;

  constructor(bounds: ReconnectionBounds) {
    this.#bounds = bounds;
    this.#outage = new Outage(bounds.reconnectTimeoutMs, new Chance(randomInt(2 ** 31)));
  }

  /**
   * Waits until it is time for another try.
   *
   * Rejects with the error itself where another try cannot help, or when the coordinator has been away for too long;
   * with the signal's reason when the connection was closed.
   */
  async pause(error: unknown): Promise<void> {
    const { closed } = this.#bounds;
    closed.throwIfAborted();
    if (!isOnTheWay(error)) throw error;
    const nowMs = performance.now();
    const retryAtMs = this.#outage.failed(nowMs);
    if (retryAtMs === undefined) throw error;
    // Whoever waits for what is lost keeps the process alive; a stream that was dropped does not.
    await delay(retryAtMs - nowMs, undefined, { ref: false, signal: closed }).catch(() =>
      closed.throwIfAborted(),
    );
  }
}
