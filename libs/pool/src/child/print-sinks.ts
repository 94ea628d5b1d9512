/**
 * Stands in `process.stdout` and `process.stderr` of a process that will be copied, for good: a module that keeps a stream, or
 * the `write` of one, while it is loaded has one that knows later who prints, and one that puts its own in place puts it on
 * top. What is printed before a copy is heard is kept, for the first copy to say.
 */
import { Buffer } from 'node:buffer';
import { writeInto } from './print-capture.ts';

type Stream = 'stdout' | 'stderr';
/** Takes what is printed on a stream. */
export type Take = (chunk: string | Uint8Array) => void;
/** Who takes what is printed; a stream without one is written to as Node does it. */
export type Takes = Readonly<Partial<Record<Stream, Take>>>;

/** Characters, or bytes where they come as bytes. */
const keptMax = 64 * 1024;

export class PrintSinks {
  #kept: { readonly stream: Stream; readonly chunk: string | Uint8Array }[] = [];
  #keptSize = 0;
  #dropped = 0;
  #takes: Takes | undefined;
  /** As Node does it. */
  readonly #own: Readonly<Record<Stream, NodeJS.WriteStream['write']>> = {
    stdout: process.stdout.write.bind(process.stdout),
    stderr: process.stderr.write.bind(process.stderr),
  };

  constructor() {
    for (const stream of ['stdout', 'stderr'] as const) {
      const own = this.#own[stream];
      const taken = writeInto((chunk) => this.#take(stream, chunk));
      const write = (...args: Parameters<typeof own>): boolean =>
        this.#takes === undefined || this.#takes[stream] !== undefined ? taken(...args) : own(...args);
      process[stream].write = write as NodeJS.WriteStream['write'];
    }
  }

  /** From now on it is theirs, and what was kept as well. */
  passTo(takes: Takes): void {
    this.#takes = takes;
    const kept = this.#kept;
    const dropped = this.#dropped;
    this.forget();
    const say = (stream: Stream, chunk: string | Uint8Array): void => {
      if (takes[stream] !== undefined) takes[stream](chunk);
      else this.#own[stream](chunk);
    };
    for (const { stream, chunk } of kept) say(stream, chunk);
    if (dropped > 0) {
      const count = dropped.toLocaleString('en-US');
      const limit = keptMax.toLocaleString('en-US');
      say('stderr', `… ${count} more characters were dropped: preloaded modules may print ${limit}\n`);
    }
  }

  /** Another copy says what was kept. */
  forget(): void {
    this.#kept = [];
    this.#keptSize = 0;
    this.#dropped = 0;
  }

  #take(stream: Stream, chunk: string | Uint8Array): void {
    const take = this.#takes?.[stream];
    if (take !== undefined) {
      take(chunk);
      return;
    }
    const room = keptMax - this.#keptSize;
    // Bytes are their owner's, who may write the next ones in their place.
    const fits = typeof chunk === 'string' ? chunk.slice(0, room) : Buffer.from(chunk.subarray(0, room));
    if (fits.length > 0) this.#kept.push({ stream, chunk: fits });
    // The line that was cut ends here.
    if (fits.length > 0 && fits.length < chunk.length) this.#kept.push({ stream, chunk: '\n' });
    this.#keptSize += fits.length;
    this.#dropped += chunk.length - fits.length;
  }
}
