/** What a {@link FlowControlledWriter} needs of a stream; every grpc-js stream that can be written to has it. */
export interface WritableCall<T> {
  write(message: T): boolean;
  end(): unknown;
  on(event: string, listener: (detail?: unknown) => void): unknown;
}

/**
 * Writes to a gRPC stream no faster than its peer reads.
 *
 * grpc-js takes whatever it is given and keeps it in memory; `write()` says whether it would rather not, and `drain`
 * when it would again. Here `write()` is a promise that resolves when the next message may follow. Once the stream has
 * ended, for whatever reason, every write rejects with that reason, waiting ones included.
 */
export class FlowControlledWriter<T> {
  readonly #call: WritableCall<T>;
  readonly #waiting: { resolve(): void; reject(reason: Error): void }[] = [];
  #blocked = false;
  #ended: Error | undefined;

  constructor(call: WritableCall<T>) {
    this.#call = call;
    call.on('drain', () => this.#open());
    call.on('error', (error) => this.#end(error instanceof Error ? error : new Error(String(error))));
    // A server's call that its client has left says `cancelled`, and never drains.
    call.on('cancelled', () => this.#end(new Error('the peer cancelled the call')));
    call.on('close', () => this.#end(new Error('the stream is closed')));
  }

  /** Whether the peer is behind: a message that is written now waits in memory. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** Why nothing can be written any more; undefined while it can. */
  get ended(): Error | undefined {
    return this.#ended;
  }

  /** Writes a message at once; resolves when the next one may follow. */
  write(message: T): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    this.#blocked = !this.#call.write(message);
    return this.ready();
  }

  /** Resolves when a message may be written. */
  ready(): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (!this.#blocked) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** No more messages. What was written still goes out. */
  end(): void {
    if (this.#ended !== undefined) return;
    this.#end(new Error('end() was called'));
    this.#call.end();
  }

  #open(): void {
    this.#blocked = false;
    for (const waiter of this.#waiting.splice(0)) waiter.resolve();
  }

  #end(reason: Error): void {
    this.#ended ??= reason;
    for (const waiter of this.#waiting.splice(0)) waiter.reject(this.#ended);
  }
}
