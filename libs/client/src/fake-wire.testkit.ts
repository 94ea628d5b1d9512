import { once } from 'node:events';
import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';

/** A TCP wire to a server on this machine that a test can cut, and make silent. */
export class FakeWire implements AsyncDisposable {
  /** Connections that somebody began, those that were refused too. */
  attempts = 0;
  readonly #targetPort: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();
  #listening = true;
  #isSilent = false;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  static async to(targetPort: number): Promise<FakeWire> {
    const wire = new FakeWire(targetPort);
    wire.#server.listen(0, '127.0.0.1');
    await once(wire.#server, 'listening');
    return wire;
  }

  get address(): string {
    const at = this.#server.address();
    return typeof at === 'object' && at !== null ? `127.0.0.1:${at.port}` : '';
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Breaks every connection; with `refuse` no new one comes through until `mend()`. */
  cut({ refuse = false }: { readonly refuse?: boolean } = {}): void {
    this.#listening = !refuse;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#listening = true;
  }

  /** From now on it takes everything and gives nothing back, on whatever connection. */
  fallSilent(): void {
    this.#isSilent = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut({ refuse: true });
    this.#server.close();
  }

  #accept(socket: Socket): void {
    this.attempts += 1;
    if (!this.#listening) {
      socket.destroy();
      return;
    }
    const inner = tcpConnect(this.#targetPort, '127.0.0.1');
    this.#sockets.add(socket);
    socket.pipe(inner);
    inner.on('data', (bytes) => {
      if (!this.#isSilent) socket.write(bytes);
    });
    for (const [one, other] of [
      [socket, inner],
      [inner, socket],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => {
        other.destroy();
        this.#sockets.delete(socket);
      });
    }
  }
}
