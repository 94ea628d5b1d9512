import { once } from 'node:events';
import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';

/** A TCP connection to a server that can be cut. */
export class Wire implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();
  /** Connections that were cut. */
  cuts = 0;

  private constructor(target: string) {
    const [host = '', port = ''] = target.split(':');
    this.#server = createServer((outer) => {
      const inner = tcpConnect(Number(port), host);
      this.#sockets.add(outer);
      this.#sockets.add(inner);
      for (const [one, other] of [
        [outer, inner],
        [inner, outer],
      ] as const) {
        one.pipe(other);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          other.destroy();
          this.#sockets.delete(one);
        });
      }
    });
  }

  static async to(target: string): Promise<Wire> {
    const wire = new Wire(target);
    wire.#server.listen(0, '127.0.0.1');
    await once(wire.#server, 'listening');
    return wire;
  }

  get address(): string {
    const at = this.#server.address();
    return typeof at === 'object' && at !== null ? `127.0.0.1:${at.port}` : '';
  }

  /** Resets every connection; new ones come through. */
  cut(): void {
    this.cuts += this.#sockets.size / 2;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
  }
}
