import type { Socket } from 'node:net';

/** What a lane does to the bytes that pass it. What is left out is not done. */
export interface LaneFaults {
  /** Every byte arrives so much later. */
  readonly delayMs?: number;
  /**
   * Each piece arrives up to so much later still, drawn anew. TCP keeps the order within a connection, so a late piece
   * holds up those behind it; what was sent over another connection meanwhile overtakes it.
   */
  readonly jitterMs?: number;
  /** Bytes are passed on in pieces of this size at most, each a write of its own. */
  readonly sliceBytes?: number;
  /** So many bytes a second get through. */
  readonly bytesPerSecond?: number;
  /** Nothing gets through, and nobody is told. What was sent meanwhile arrives when this ends. */
  readonly stalled?: boolean;
  /** The connection is reset in both directions when so many more bytes have passed: in the middle of a message. */
  readonly resetAfterBytes?: number;
}

/** What a lane asks of the connection that it is half of. */
export interface LaneHost {
  /** From 0 to below 1, the same again for the same seed. */
  random(): number;
  reset(): void;
}

interface Piece {
  /** Undefined for the end of the stream. */
  readonly bytes: Buffer | undefined;
  readonly dueMs: number;
}

/** Beyond this the sender is held back, as a full socket does it. */
const heldBytesMax = 2 ** 20;

/** One direction of a connection: bytes in, the same bytes in the same order out, as late and as cut up as asked. */
export class Lane {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #host: LaneHost;
  #faults: LaneFaults;
  #pieces: Piece[] = [];
  #heldBytes = 0;
  #lastDueMs = 0;
  #untilReset: number;
  #timer: NodeJS.Timeout | undefined;
  #full = false;
  #resting = false;
  #closed = false;

  constructor(from: Socket, to: Socket, faults: LaneFaults, host: LaneHost) {
    this.#from = from;
    this.#to = to;
    this.#host = host;
    this.#faults = faults;
    this.#untilReset = faults.resetAfterBytes ?? Number.POSITIVE_INFINITY;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('end', () => this.#add(undefined));
    to.on('drain', () => {
      this.#full = false;
      this.#pump();
    });
  }

  /** Holds from now on; what is on its way already keeps its time. */
  set(faults: LaneFaults): void {
    this.#faults = faults;
    this.#untilReset = faults.resetAfterBytes ?? Number.POSITIVE_INFINITY;
    this.#pump();
  }

  /** Passes nothing on any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#pieces = [];
  }

  #take(bytes: Buffer): void {
    const most = this.#faults.sliceBytes ?? bytes.byteLength;
    for (let at = 0; at < bytes.byteLength; at += most) this.#add(bytes.subarray(at, at + most));
  }

  #add(bytes: Buffer | undefined): void {
    if (this.#closed) return;
    const { bytesPerSecond, delayMs = 0, jitterMs = 0 } = this.#faults;
    const nowMs = performance.now();
    const size = bytes?.byteLength ?? 0;
    const sentMs = nowMs + delayMs + (jitterMs === 0 ? 0 : this.#host.random() * jitterMs);
    const sendingMs = bytesPerSecond === undefined ? 0 : (size * 1000) / bytesPerSecond;
    // Never before what was sent earlier: TCP would not either.
    this.#lastDueMs = Math.max(sentMs, this.#lastDueMs) + sendingMs;
    this.#pieces.push({ bytes, dueMs: this.#lastDueMs });
    this.#heldBytes += size;
    if (this.#heldBytes > heldBytesMax) this.#from.pause();
    this.#pump();
  }

  #pump(): void {
    clearTimeout(this.#timer);
    while (!this.#closed && !this.#full && !this.#resting && this.#faults.stalled !== true) {
      const [first] = this.#pieces;
      if (first === undefined) return;
      const waitMs = first.dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#pump(), waitMs);
        return;
      }
      this.#pieces.shift();
      this.#pass(first);
      if (this.#faults.sliceBytes !== undefined) this.#rest();
    }
  }

  /** Two writes of one turn may travel as one; what was cut up has to arrive cut up. */
  #rest(): void {
    this.#resting = true;
    setImmediate(() => {
      this.#resting = false;
      this.#pump();
    });
  }

  #pass({ bytes }: Piece): void {
    if (bytes === undefined) {
      this.#to.end();
      return;
    }
    const passed = bytes.subarray(0, this.#untilReset);
    this.#untilReset -= passed.byteLength;
    this.#heldBytes -= bytes.byteLength;
    if (this.#heldBytes <= heldBytesMax) this.#from.resume();
    if (this.#untilReset > 0) this.#full = !this.#to.write(passed);
    // The bytes before it have to be on their way before the reset overtakes them.
    else this.#to.write(passed, () => this.#host.reset());
  }
}
