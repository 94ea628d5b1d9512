import { createWriteStream, type Stats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { ShoalError } from '@shoal/errors';
import { dropUnread, outputFailure } from '../output.ts';
import { systemReason } from '../system-reason.ts';
import type { Terminal } from '../terminal.ts';
import { openFifoToWrite } from './fifo.ts';

const flushCharacters = 64 * 1024;

const isTheInput = 'it is the input too; results would overwrite it';

/** What a reader has from the end of its command on to take what is there: a busy machine is slow. */
const hurriedMs = 500;

/** Writes lines, many at a time, and never faster than their reader takes them. */
export class ResultWriter {
  readonly #stream: Writable;
  readonly #name: string;
  readonly #isOurs: boolean;
  #pending = '';
  #flushIsDue = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  /** How long its reader may be waited for, and what is told after that; undefined: for as long as it takes. */
  #patience: { leftMs: number; sinceMs: number; readonly error: Error } | undefined;
  #patienceTimer: NodeJS.Timeout | undefined;

  /** `isOurs`: the stream is closed with the writer. stdout is not. */
  constructor(stream: Writable, name: string, isOurs: boolean) {
    this.#stream = stream;
    this.#name = name;
    this.#isOurs = isOurs;
    stream.on('error', (error: NodeJS.ErrnoException) => this.#fail(error));
    stream.on('drain', () => this.#wake?.());
  }

  /** What went wrong with the output, if anything did. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Adds a line. Where it returns a promise, the reader is behind: wait for it. Throws once the output is gone. */
  line(text: string): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    this.#pending += text;
    this.#pending += '\n';
    if (this.#pending.length >= flushCharacters) return this.#flush() ? undefined : this.#drained();
    if (!this.#flushIsDue) {
      // What arrives in one turn of the event loop goes out in one write; the first line waits for nothing else.
      this.#flushIsDue = true;
      setImmediate(() => {
        this.#flushIsDue = false;
        this.#flush();
      });
    }
    return undefined;
  }

  /** Writes the rest and, for a file of ours, closes it. Resolves when the system has taken every byte. */
  async close(): Promise<void> {
    if (this.#failure !== undefined) return;
    const rest = this.#pending;
    this.#pending = '';
    await this.#woken((wake) => {
      if (this.#isOurs) this.#stream.end(rest, wake);
      else this.#stream.write(rest, () => wake());
    });
  }

  /**
   * From now on its reader is waited for no longer than `patienceMs` in all. Then the output has failed with `error`, and
   * what its reader has not taken is dropped.
   */
  hurry(error: Error, patienceMs: number = hurriedMs): void {
    if (this.#patience !== undefined) return;
    this.#patience = { leftMs: patienceMs, sinceMs: 0, error };
    if (this.#wake !== undefined) this.#watch();
  }

  #flush(): boolean {
    if (this.#pending === '' || this.#failure !== undefined) return true;
    const text = this.#pending;
    this.#pending = '';
    return this.#stream.write(text);
  }

  async #drained(): Promise<void> {
    await this.#woken(() => {});
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Resolves when the reader goes on, or is waited for no more. */
  async #woken(start: (wake: () => void) => void): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#watch();
      start(resolve);
    });
    this.#wake = undefined;
    clearTimeout(this.#patienceTimer);
    const patience = this.#patience;
    if (patience !== undefined) patience.leftMs -= performance.now() - patience.sinceMs;
  }

  #watch(): void {
    const patience = this.#patience;
    if (patience === undefined) return;
    patience.sinceMs = performance.now();
    this.#patienceTimer = setTimeout(() => this.#drop(patience.error), Math.max(1, patience.leftMs));
  }

  #drop(error: Error): void {
    this.#failure ??= error;
    if (this.#isOurs) this.#stream.destroy();
    else dropUnread(this.#stream);
    this.#wake?.();
  }

  #fail(error: NodeJS.ErrnoException): void {
    this.#failure ??= outputFailure(this.#name, error);
    this.#wake?.();
  }
}

/**
 * Opens the output before anything runs. A file that is also the input is refused: it would be emptied unread. A FIFO is
 * open when somebody reads it; until then `signal` ends the wait, with its reason.
 */
export async function openResultWriter(
  output: string,
  input: Stats | undefined,
  terminal: Terminal,
  signal: AbortSignal = new AbortController().signal,
): Promise<ResultWriter> {
  if (output === '-') return new ResultWriter(terminal.stdout, 'stdout', false);
  const refuse = (reason: string): ShoalError => new ShoalError('FILE_NOT_USABLE', { path: output, reason });
  const isInput = (file: Stats): boolean => file.dev === input?.dev && file.ino === input.ino;
  const found = await stat(output).catch(() => undefined);
  if (found?.isFIFO() === true) {
    if (isInput(found)) throw refuse(isTheInput);
    const fifo = await openFifoToWrite(output, signal).catch((error: unknown) => {
      throw signal.aborted ? error : refuse(systemReason(error));
    });
    return new ResultWriter(fifo, output, true);
  }
  // Opened for appending first: 'w' would empty the file before we could look at it.
  const handle = await open(output, 'a').catch((error: unknown) => {
    const isFolderMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw refuse(isFolderMissing ? `there is no folder ${dirname(output)}` : systemReason(error));
  });
  const file = await handle.stat();
  if (isInput(file)) {
    await handle.close();
    throw refuse(isTheInput);
  }
  if (file.isFile()) await handle.truncate(0);
  return new ResultWriter(createWriteStream('', { fd: handle }), output, true);
}
