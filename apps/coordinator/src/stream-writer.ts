/** What a {@link StreamWriter} needs of a gRPC call; server and client calls have it alike. */
export interface MessageSink<T> {
  write(message: T): boolean;
  end(): void;
  on(event: 'drain', listener: () => void): unknown;
}

/**
 * Writes messages to a gRPC call no faster than its peer takes them.
 *
 * grpc-js buffers without bound when `write()` returning false is ignored. Here what cannot go out waits in a queue,
 * and `onReady` says when there is room, so that a source with a cursor is asked only then and buffers nothing.
 */
export class StreamWriter<T> {
  readonly #sink: MessageSink<T>;
  readonly #onReady: () => void;
  #queue: T[] = [];
  #blocked = false;
  #blockedSinceMs = 0;
  #ended = false;

  constructor(sink: MessageSink<T>, onReady: () => void = () => {}) {
    this.#sink = sink;
    this.#onReady = onReady;
    sink.on('drain', () => this.#drained());
  }

  /** Whether a message would go out at once. */
  get ready(): boolean {
    return !this.#blocked && !this.#ended;
  }

  /** Messages that wait for the peer. */
  get queued(): number {
    return this.#queue.length;
  }

  /** For how long the peer has not taken what was written; 0 while it does. */
  get blockedForMs(): number {
    return this.#blocked ? performance.now() - this.#blockedSinceMs : 0;
  }

  /** Sends a message, now or after those that wait. Whoever calls this while it is not ready bounds the number. */
  write(message: T): void {
    if (this.#ended) return;
    if (this.#blocked) this.#queue.push(message);
    else this.#put(message);
  }

  /** Sends what waits, then ends the call. Later messages are dropped. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#queue.length === 0) this.#sink.end();
  }

  #put(message: T): void {
    this.#blocked = !this.#sink.write(message);
    if (this.#blocked) this.#blockedSinceMs = performance.now();
  }

  #drained(): void {
    this.#blocked = false;
    let sent = 0;
    while (sent < this.#queue.length && !this.#blocked) {
      this.#put(this.#queue[sent] as T);
      sent += 1;
    }
    this.#queue = this.#queue.slice(sent);
    if (this.#queue.length > 0) return;
    if (this.#ended) this.#sink.end();
    else if (!this.#blocked) this.#onReady();
  }
}
