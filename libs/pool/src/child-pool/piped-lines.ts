/**
 * What arrives through a child's stdout or stderr pipe: native code, tools that the task has started, Node's own last
 * words. Always read, so that nobody blocks on a full pipe; whole lines are passed on, what is over the cap is counted.
 */
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { bytesText } from '@shoal/errors';
import { defaultOutputLimits } from './output-limits.ts';

const lineCharsMax = 64 * 1024;
/** How long a line that lacks its end may wait for it, in ms. */
const partialMs = 200;

export class PipedLines {
  /** Made with the first byte: most children say nothing here. */
  #decoder: StringDecoder | undefined;
  readonly #onText: (text: string) => void;
  readonly #secondBytesMax: number;
  #partial = '';
  #secondStart = 0;
  #secondBytes = 0;
  #droppedBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #droppedTimer: NodeJS.Timeout | undefined;

  /** `onText` gets whole lines without the last newline. */
  constructor(
    pipe: Readable,
    onText: (text: string) => void,
    secondBytesMax: number = defaultOutputLimits.printBytesPerSecond,
  ) {
    this.#onText = onText;
    this.#secondBytesMax = secondBytesMax;
    pipe.on('data', (chunk: Buffer) => this.#take(chunk));
    pipe.on('error', () => {});
  }

  #take(chunk: Buffer): void {
    const time = performance.now();
    if (time - this.#secondStart > 1_000) {
      this.#secondStart = time;
      this.#secondBytes = 0;
      this.#reportDropped();
    }
    this.#secondBytes += chunk.length;
    if (this.#secondBytes > this.#secondBytesMax) {
      this.#droppedBytes += chunk.length;
      // Perhaps nothing more comes, and what was lost is to be known all the same.
      this.#droppedTimer ??= setTimeout(() => this.#reportDropped(), 1_000).unref();
      return;
    }
    this.#decoder ??= new StringDecoder('utf8');
    const text = this.#partial + this.#decoder.write(chunk);
    const end = text.lastIndexOf('\n');
    this.#partial = text.slice(end + 1);
    if (end !== -1) this.#onText(text.slice(0, end));
    if (this.#partial.length > lineCharsMax) this.#flushPartial();
    if (this.#partial !== '') {
      this.#timer ??= setTimeout(() => this.#flushPartial(), partialMs).unref();
    }
  }

  /** The pipe is done. */
  finish(): void {
    this.#partial += this.#decoder?.end() ?? '';
    this.#flushPartial();
    this.#reportDropped();
  }

  #flushPartial(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#partial !== '') this.#onText(this.#partial);
    this.#partial = '';
  }

  #reportDropped(): void {
    clearTimeout(this.#droppedTimer);
    this.#droppedTimer = undefined;
    if (this.#droppedBytes === 0) return;
    const bytes = this.#droppedBytes.toLocaleString('en-US');
    this.#onText(
      `… ${bytes} more bytes were dropped: a process may print ${bytesText(this.#secondBytesMax)} a second (maxPrintBytesPerSecond)`,
    );
    this.#droppedBytes = 0;
  }
}
