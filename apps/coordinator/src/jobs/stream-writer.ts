/** What a {@link StreamWriter} needs of a gRPC call; server and client calls have it alike. */
export interface MessageSink<T> {
  /** `onFlushed` is called when the message has left for the peer, as far as that takes it. */
  write(message: T, onFlushed: () => void): unknown;
  end(): void;
}

/** So many messages may be on their way: of 256 KiB each, 2 MiB for a peer that does not read. */
const inFlightMax = 8;

/**
 * Writes messages to a gRPC call no faster than its peer takes them.
 *
 * grpc-js takes whatever it is given and keeps it in memory; it would say stop (`write()` returns false) at sixteen
 * messages, however big. Here a few are on their way, what cannot go out waits in a queue, and `onReady` says when there
 * is room, so that a source with a cursor is asked only then and buffers nothing.
 */
export class StreamWriter<T> {
  readonly #sink: MessageSink<T>;
  readonly #onReady: () => void;
  #queue: T[] = [];
  #inFlight = 0;
  #blockedSinceMs = 0;
  #ended = false;

  constructor(sink: MessageSink<T>, onReady: () => void = () => {}) {
    this.#sink = sink;
    this.#onReady = onReady;
  }

  /** Whether a message would go out at once. */
  get ready(): boolean {
    return !this.#isBlocked && !this.#ended;
  }

  /** Messages that wait for the peer. */
  get queued(): number {
    return this.#queue.length;
  }

  /** For how long the peer has taken nothing, though there was something for it; 0 while it does. */
  get blockedForMs(): number {
    return this.#isBlocked ? performance.now() - this.#blockedSinceMs : 0;
  }

  /** Sends a message, now or after those that wait. Whoever calls this while it is not ready bounds the number. */
  write(message: T): void {
    if (this.#ended) return;
    if (this.#isBlocked) this.#queue.push(message);
    else this.#put(message);
  }

  /** Sends what waits, then ends the call. Later messages are dropped. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#queue.length === 0) this.#sink.end();
  }

  get #isBlocked(): boolean {
    return this.#inFlight >= inFlightMax;
  }

  #put(message: T): void {
    this.#inFlight += 1;
    if (this.#isBlocked) this.#blockedSinceMs = performance.now();
    this.#sink.write(message, () => this.#flushed());
  }

  #flushed(): void {
    const wasBlocked = this.#isBlocked;
    this.#inFlight -= 1;
    if (!wasBlocked) return;
    const next = this.#queue.shift();
    if (next !== undefined) this.#put(next);
    if (this.#queue.length > 0) return;
    if (this.#ended) {
      if (next !== undefined) this.#sink.end();
    } else if (!this.#isBlocked) this.#onReady();
  }
}
