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

  /** Sends a message, now or after those that wait. Whoever calls this while it is not ready bounds the number. */
  write(message: T): void {
    if (this.#ended) return;
    if (this.#blocked) this.#queue.push(message);
    else this.#blocked = !this.#sink.write(message);
  }

  /** Sends what waits, then ends the call. Later messages are dropped. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#queue.length === 0) this.#sink.end();
  }

  #drained(): void {
    this.#blocked = false;
    let sent = 0;
    while (sent < this.#queue.length && !this.#blocked) {
      this.#blocked = !this.#sink.write(this.#queue[sent] as T);
      sent += 1;
    }
    this.#queue = this.#queue.slice(sent);
    if (this.#queue.length > 0) return;
    if (this.#ended) this.#sink.end();
    else if (!this.#blocked) this.#onReady();
  }
}
