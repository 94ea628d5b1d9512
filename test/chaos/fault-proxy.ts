import { once } from 'node:events';
import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';
import { chance } from './chance.ts';
import { Lane, type LaneFaults } from './lane.ts';

/** What becomes of the bytes to the server, and of those to the client. */
export interface Faults {
  readonly toServer?: LaneFaults;
  readonly toClient?: LaneFaults;
}

/** The end of a connection that is not told of its loss. */
export type UntoldSide = 'client' | 'server';

interface Connection {
  readonly client: Socket;
  readonly server: Socket;
  readonly toServer: Lane;
  readonly toClient: Lane;
}

/**
 * A TCP proxy that does to connections what networks do: delay, jitter, little bandwidth, pieces, stalls, resets, and
 * ends that nobody is told of. (Packets cannot be lost or doubled here: TCP would repair that before anyone saw it.
 * What a lost packet costs is a stall.)
 */
export class FaultProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #random: () => number;
  readonly #open = new Set<Connection>();
  /** Connections of which one end is gone and the other one was not told. */
  readonly #untold = new Set<Socket>();
  #faults: Faults = {};
  #refusing = false;
  /** Connections that were let through, ever. */
  accepted = 0;

  private constructor(target: string, seed: number) {
    const cut = target.lastIndexOf(':');
    const [host, port] = [target.slice(0, cut), Number(target.slice(cut + 1))];
    this.#random = chance(seed);
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      if (this.#refusing) client.resetAndDestroy();
      else this.#connect(client, tcpConnect({ host, port, allowHalfOpen: true }));
    });
  }

  /** Listens on a free port, of the loopback interface unless told otherwise, and passes on to `target` (HOST:PORT). */
  static async to(
    target: string,
    { listen = '127.0.0.1', seed = 1 }: { readonly listen?: string; readonly seed?: number } = {},
  ): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, seed);
    proxy.#server.listen(0, listen);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** For whoever is on this machine. */
  get address(): string {
    const at = this.#server.address();
    return typeof at === 'object' && at !== null ? `127.0.0.1:${at.port}` : '';
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#open.size;
  }

  /** From now on, for open connections and new ones. What is left out is no more. */
  set(faults: Faults): void {
    this.#faults = faults;
    for (const { toServer, toClient } of this.#open) {
      toServer.set(faults.toServer ?? {});
      toClient.set(faults.toClient ?? {});
    }
  }

  /** The same in both directions. */
  setBoth(faults: LaneFaults): void {
    this.set({ toServer: faults, toClient: faults });
  }

  /** A network without faults again. */
  mend(): void {
    this.#refusing = false;
    this.set({});
  }

  /** Resets every connection; new ones come through. */
  reset(): void {
    for (const connection of [...this.#open]) this.#reset(connection);
  }

  /** New connections are reset at once, until `mend`. */
  refuse(): void {
    this.#refusing = true;
  }

  /**
   * Every connection is lost to the other side, while this side goes on believing in it: a host that lost its power
   * says no good-bye. New connections come through.
   */
  halfOpen(untold: UntoldSide): void {
    for (const connection of [...this.#open]) {
      const { client, server } = connection;
      this.#forget(connection);
      const [kept, gone] = untold === 'client' ? [client, server] : [server, client];
      gone.resetAndDestroy();
      // Nobody reads what it still sends.
      kept.pause();
      this.#untold.add(kept);
      kept.once('close', () => this.#untold.delete(kept));
    }
  }

  /** Whoever believes in a connection that is gone is told: a host that has its power back answers so. */
  tell(): void {
    for (const socket of this.#untold) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reset();
    this.tell();
    this.#server.close();
  }

  #connect(client: Socket, server: Socket): void {
    this.accepted += 1;
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      // Each error is followed by a close, which is where it matters.
      socket.on('error', () => {});
    }
    const host = { random: this.#random, reset: () => this.#reset(connection) };
    const connection: Connection = {
      client,
      server,
      toServer: new Lane(client, server, this.#faults.toServer ?? {}, host),
      toClient: new Lane(server, client, this.#faults.toClient ?? {}, host),
    };
    this.#open.add(connection);
    // Whoever closes for good takes the other one along.
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.once('close', (hadError) => {
        if (!this.#open.has(connection)) return;
        if (hadError) this.#reset(connection);
        else if (other.destroyed || other.writableEnded) this.#forget(connection);
      });
    }
  }

  #reset(connection: Connection): void {
    this.#forget(connection);
    connection.client.resetAndDestroy();
    connection.server.resetAndDestroy();
  }

  #forget(connection: Connection): void {
    this.#open.delete(connection);
    connection.toServer.close();
    connection.toClient.close();
  }
}
