import type { Bytes, WriteDown, WriteUp } from '../messages.ts';
import { type Listener, listening, type Stream } from '../network.ts';
import type { CoordinatorCore } from './core.ts';

interface Writer {
  readonly stream: Stream<WriteUp, WriteDown>;
  held: Bytes | undefined;
  isPaused: boolean;
  waiting: WriteUp[];
}

/** Calls of clients that bring items. */
export class Writers {
  readonly listener: Listener<WriteUp, WriteDown>;
  readonly #core: CoordinatorCore;
  readonly #writers = new Map<number, Writer>();
  #ticksSoon = false;

  constructor(core: CoordinatorCore) {
    this.#core = core;
    this.listener = listening(core.host, (stream) => {
      const call = core.nextCall();
      this.#writers.set(call, { stream, held: undefined, isPaused: false, waiting: [] });
      return {
        received: (message) => {
          this.#writers.get(call)?.waiting.push(message);
          this.#drain(call);
        },
        closed: () => {
          if (this.#writers.delete(call)) core.step({ type: 'writerClosed', call, orderly: false });
        },
      };
    });
  }

  get calls(): number[] {
    return [...this.#writers.keys()];
  }

  get streams(): Stream<WriteUp, WriteDown>[] {
    return [...this.#writers.values()].map(({ stream }) => stream);
  }

  /** A block for which there is no room yet: nothing more is read. */
  hold(call: number, block: Bytes | undefined): void {
    const writer = this.#writers.get(call);
    if (writer === undefined) return;
    writer.held = block;
    writer.isPaused = true;
  }

  takeHeld(call: number): Bytes | undefined {
    const writer = this.#writers.get(call);
    const held = writer?.held;
    if (writer !== undefined) writer.held = undefined;
    return held;
  }

  resume(call: number): void {
    const writer = this.#writers.get(call);
    if (writer === undefined) return;
    writer.isPaused = false;
    // Never in the middle of a step.
    this.#core.host.after(0, () => this.#drain(call));
  }

  end(call: number, acceptedItems: number): void {
    const stream = this.remove(call);
    stream?.sendDown({ kind: 'done', acceptedItems });
    stream?.closeFar();
  }

  remove(call: number): Stream<WriteUp, WriteDown> | undefined {
    const writer = this.#writers.get(call);
    this.#writers.delete(call);
    return writer?.stream;
  }

  restart(): void {
    this.#writers.clear();
    this.#ticksSoon = false;
  }

  /** What else comes in this moment is handed out with it. */
  #tickSoon(): void {
    if (this.#ticksSoon) return;
    this.#ticksSoon = true;
    this.#core.host.after(0, () => {
      this.#ticksSoon = false;
      this.#core.step({ type: 'clockTicked' });
    });
  }

  #drain(call: number): void {
    const writer = this.#writers.get(call);
    if (writer === undefined) return;
    while (!writer.isPaused && this.#writers.has(call)) {
      const message = writer.waiting.shift();
      if (message === undefined) return;
      switch (message.kind) {
        case 'start': {
          const { firstIndex, job, session, stream } = message;
          this.#core.step({ type: 'writerOpened', call, job, session, stream, firstIndex });
          break;
        }
        case 'block': {
          const { first, count, bytes } = message.block;
          this.#core.step(
            { type: 'blockReceived', call, first, count, bytes: bytes.byteLength, more: this.#core.isHasty },
            { block: message.block },
          );
          if (this.#core.isHasty) this.#tickSoon();
          break;
        }
        case 'endOfInput':
          this.#core.step({ type: 'inputEndReceived', call, totalItems: message.totalItems });
          break;
      }
    }
  }
}
