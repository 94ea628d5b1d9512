import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

const accepted = 'net.server.socket';

/**
 * The TCP connections that this process has accepted, by the name that gRPC gives them: `ADDRESS:PORT` of the other side.
 *
 * gRPC says of a call only that it was cancelled. Whether its client is gone or silent tells the connection: a process that
 * ends closes it, also one that is killed; one that is stopped, or cut off, does not, and keepalive closes it here.
 */
export class OpenConnections {
  readonly #open = new Map<string, Socket>();
  readonly #onGivenUp: (connection: string) => void;

  /** `onGivenUp` hears of connections that were closed here. With TLS also of some that their client closed in good order. */
  constructor(onGivenUp: (connection: string) => void) {
    this.#onGivenUp = onGivenUp;
    subscribe(accepted, this.#accepted);
  }

  /** The connection of this name, if it is still open. */
  named(peer: string): string | undefined {
    return this.#open.get(peer)?.destroyed === false ? peer : undefined;
  }

  /** Hears of none any more. */
  close(): void {
    unsubscribe(accepted, this.#accepted);
    this.#open.clear();
  }

  readonly #accepted = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    const name = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#open.set(name, socket);
    socket.once('close', () => {
      if (!this.#open.delete(name)) return;
      const isGone = socket.readableEnded || socket.errored !== null;
      if (!isGone) this.#onGivenUp(name);
    });
  };
}
