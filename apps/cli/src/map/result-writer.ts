import { createWriteStream, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { ShoalError } from '@shoal/errors';
import { outputFailure } from '../output.ts';
import { systemReason } from '../system-reason.ts';
import type { Terminal } from '../terminal.ts';

const flushCharacters = 64 * 1024;

/** Writes lines, many at a time, and never faster than their reader takes them. */
export class ResultWriter {
  readonly #stream: Writable;
  readonly #name: string;
  readonly #isOurs: boolean;
  #pending = '';
  #flushIsDue = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

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
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (this.#isOurs) this.#stream.end(rest, resolve);
      else this.#stream.write(rest, () => resolve());
    });
  }

  #flush(): boolean {
    if (this.#pending === '' || this.#failure !== undefined) return true;
    const text = this.#pending;
    this.#pending = '';
    return this.#stream.write(text);
  }

  async #drained(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #fail(error: NodeJS.ErrnoException): void {
    this.#failure ??= outputFailure(this.#name, error);
    this.#wake?.();
  }
}

/** Opens the output before anything runs. A file that is also the input is refused: it would be emptied unread. */
export async function openResultWriter(
  output: string,
  input: Stats | undefined,
  terminal: Terminal,
): Promise<ResultWriter> {
  if (output === '-') return new ResultWriter(terminal.stdout, 'stdout', false);
  const refuse = (reason: string): ShoalError => new ShoalError('FILE_NOT_USABLE', { path: output, reason });
  // Opened for appending first: 'w' would empty the file before we could look at it.
  const handle = await open(output, 'a').catch((error: unknown) => {
    const isFolderMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw refuse(isFolderMissing ? `there is no folder ${dirname(output)}` : systemReason(error));
  });
  const file = await handle.stat();
  if (input !== undefined && file.dev === input.dev && file.ino === input.ino) {
    await handle.close();
    throw refuse('it is the input too; results would overwrite it');
  }
  if (file.isFile()) await handle.truncate(0);
  return new ResultWriter(createWriteStream('', { fd: handle }), output, true);
}
