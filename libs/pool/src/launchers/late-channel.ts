import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** A channel to a child that has to dial back first: what is written before that waits for it. */
export class LateChannel extends Duplex {
  #socket: Socket | undefined;
  #begin: (() => void) | undefined;

  /** The child is there. */
  attach(socket: Socket): void {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.once('end', () => this.push(null));
    socket.once('close', () => this.destroy());
    socket.on('error', (error) => this.destroy(error));
    this.#begin?.();
    this.#begin = undefined;
  }

  /** Whether it keeps this process alive. */
  ref(): void {
    this.#socket?.ref();
  }

  unref(): void {
    this.#socket?.unref();
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    const socket = this.#socket;
    if (socket === undefined) this.#begin = () => this._write(chunk, _, done);
    else socket.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket?.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket?.destroy();
    done(error);
  }
}
