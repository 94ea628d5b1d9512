import { countedText } from '@shoal/errors';
import { type JobPrints, type Print, PrintStream } from '@shoal/protocol';

/** What a print weighs beyond its text. */
const printBytes = 64;

/** Prints that wait for the next message, bounded by dropping: more are counted, and the count is printed. */
export class PrintShelf {
  readonly #maxBytes: number;
  readonly #onFirst: () => void;
  #prints = new Map<string, Print[]>();
  #bytes = 0;
  readonly #dropped = new Map<string, { prints: number; bytes: number }>();

  /** `onFirst` is called when there is something to take, until it was taken. */
  constructor(maxBytes: number, onFirst: () => void) {
    this.#maxBytes = maxBytes;
    this.#onFirst = onFirst;
  }

  add(job: string, print: Print): void {
    const bytes = print.text.length + printBytes;
    if (this.#bytes + bytes > this.#maxBytes) {
      const dropped = this.#dropped.get(job) ?? { prints: 0, bytes: 0 };
      dropped.prints += 1;
      dropped.bytes += Buffer.byteLength(print.text);
      this.#dropped.set(job, dropped);
      return;
    }
    const known = this.#prints.get(job);
    if (known === undefined) this.#prints.set(job, [print]);
    else known.push(print);
    this.#bytes += bytes;
    if (this.#bytes === bytes) this.#onFirst();
  }

  /** All that wait. */
  take(): JobPrints[] {
    const prints = this.#prints;
    this.#prints = new Map();
    this.#bytes = 0;
    for (const [job, dropped] of this.#dropped) {
      prints.set(job, [...(prints.get(job) ?? []), noticeOf(dropped)]);
    }
    this.#dropped.clear();
    return [...prints].map(([jobId, each]) => ({ jobId, prints: each }));
  }
}

function noticeOf(dropped: { readonly prints: number; readonly bytes: number }): Print {
  const { prints, bytes } = dropped;
  const what = `${countedText(prints, 'print')} of ${countedText(bytes, 'byte')} ${prints === 1 ? 'was' : 'were'}`;
  const text = `… ${what} dropped: the connection is too slow for them`;
  return { stream: PrintStream.STDERR, agent: '', pid: process.pid, index: undefined, task: '', text };
}
