import { countedText } from '@shoal/errors';
import { type Print, PrintStream } from '@shoal/protocol';

/**
 * Prints on their way to a job's client, in order. They wait here while nobody reads, or reads slowly.
 *
 * They are worth so much memory and no more: what does not fit is dropped and counted, and the count is a print itself,
 * where the gap is.
 */
export class PrintQueue {
  readonly #bytesMax: number;
  #waiting: Print[] = [];
  #next = 0;
  #bytes = 0;
  readonly #dropped = { prints: 0, bytes: 0 };

  readonly #onGap: () => void;

  /** Holds so many bytes, and tells of each gap. */
  constructor(bytesMax: number, onGap: () => void = () => {}) {
    this.#bytesMax = bytesMax;
    this.#onGap = onGap;
  }

  add(print: Print): void {
    const bytes = bytesOf(print);
    // One always fits, however long it is.
    if (this.#bytes > 0 && this.#bytes + bytes > this.#bytesMax) {
      if (this.#dropped.prints === 0) this.#onGap();
      this.#dropped.prints += 1;
      this.#dropped.bytes += Buffer.byteLength(print.text);
      return;
    }
    this.#closeGap();
    this.#waiting.push(print);
    this.#bytes += bytes;
  }

  /** The next one; undefined when nothing waits. */
  take(): Print | undefined {
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
      this.#closeGap();
    }
    const print = this.#waiting[this.#next];
    if (print === undefined) return undefined;
    this.#next += 1;
    this.#bytes -= bytesOf(print);
    return print;
  }

  /** The next ones, up to about so many bytes. */
  takeUpTo(bytesMax: number): Print[] {
    const prints: Print[] = [];
    for (let bytes = 0; bytes < bytesMax; ) {
      const print = this.take();
      if (print === undefined) break;
      prints.push(print);
      bytes += bytesOf(print);
    }
    return prints;
  }

  /** Nobody will take them any more. */
  clear(): void {
    this.#waiting = [];
    this.#next = 0;
    this.#bytes = 0;
    this.#dropped.prints = 0;
  }

  #closeGap(): void {
    if (this.#dropped.prints === 0) return;
    const { prints, bytes } = this.#dropped;
    const what = `${countedText(prints, 'print')} of ${countedText(bytes, 'byte')} ${prints === 1 ? 'was' : 'were'}`;
    this.#dropped.prints = 0;
    this.#dropped.bytes = 0;
    const why = 'the client reads too slowly (shoal coordinator --max-print-bytes)';
    const text = `… ${what} dropped here: ${why}`;
    const notice = {
      stream: PrintStream.STDERR,
      agent: 'coordinator',
      pid: process.pid,
      index: undefined,
      task: '',
      text,
    };
    this.#waiting.push(notice);
    this.#bytes += bytesOf(notice);
  }
}

/** Roughly what a print costs: UTF-16 text, and what is told of it. */
const bytesOf = ({ text }: Print): number => text.length + 64;
