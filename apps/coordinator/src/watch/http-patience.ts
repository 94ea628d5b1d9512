import type { Socket } from 'node:net';

/** How long connections to the HTTP port may take for what comes next: a request, the reading of its answer, another request. */
export class HttpPatience {
  readonly #silentMs: number;
  readonly #onSilent: (peer: string) => void;
  readonly #timers: WeakMap<Socket, NodeJS.Timeout> = new WeakMap();

  /** `onSilent` hears the address of each that has kept us waiting. */
  constructor(silentMs: number, onSilent: (peer: string) => void) {
    this.#silentMs = silentMs;
    this.#onSilent = onSilent;
  }

  /** It has all of its time again. Then it is closed; who was `served` and stays for another time has done nothing wrong. */
  begin(socket: Socket, { served }: { readonly served: boolean }): void {
    if (socket.destroyed) return;
    if (!this.#timers.has(socket)) socket.once('close', () => clearTimeout(this.#timers.get(socket)));
    clearTimeout(this.#timers.get(socket));
    const timer = setTimeout(() => {
      if (!served) this.#onSilent(socket.remoteAddress ?? 'somebody');
      socket.destroy();
    }, this.#silentMs);
    this.#timers.set(socket, timer);
  }
}
