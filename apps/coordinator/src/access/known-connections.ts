import { whenHeard } from './hearing.ts';
import type { Identity } from './identity.ts';

/** Of a connection of HTTP/2, what is needed to end it. */
export interface KnownConnection {
  readonly destroyed?: boolean;
  destroy?(): void;
  once?(event: 'close', listener: () => void): unknown;
}

/**
 * Who was let in over which connection, for as long as it is open.
 *
 * A certificate is shown once, for the whole connection; tokens come with each call, so a connection may have shown some
 * that are good and some that are not any more.
 */
export class KnownConnections {
  readonly #callers = new Map<KnownConnection, Map<string, Identity>>();

  /** Somebody was let in over it. */
  seen(connection: KnownConnection, caller: Identity): void {
    const callers = this.#callers.get(connection);
    const key = `${caller.certificate?.serial ?? ''} ${caller.token ?? ''}`;
    if (callers !== undefined) {
      if (!callers.has(key)) callers.set(key, caller);
      return;
    }
    if (connection.destroyed === true) return;
    this.#callers.set(connection, new Map([[key, caller]]));
    connection.once?.('close', () => this.#callers.delete(connection));
  }

  /**
   * Closes those over which nobody is left who is known, in so long: until then their calls are refused with the reason,
   * which a call on a connection that has just been closed would not hear.
   */
  close(isLost: (caller: Identity) => boolean, afterMs: number): void {
    for (const [connection, callers] of this.#callers) {
      if (![...callers.values()].every(isLost)) continue;
      whenHeard(afterMs, () => connection.destroy?.());
    }
  }
}
