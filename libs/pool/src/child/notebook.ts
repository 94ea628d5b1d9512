/** The child's end of the page that it shares with its pool (notebook-page.ts). */
import { Buffer } from 'node:buffer';
import { fstatSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { closePage, notesBytesMax, pageBytes, pageHeadBytes, sumOf } from '../notebook-page.ts';
import { now } from './clock.ts';

/** What is noted is said after so long, in ms: the pool has to hear of it before its child runs out of work. */
const gatherMs = 0.25;

// Taken at start, and no method of a typed array used where something is noted: tasks may replace them.
const viewOf: (page: Buffer, from: number, to: number) => Buffer = Function.prototype.call.bind(
  Buffer.prototype.subarray,
) as never;

/** What has been said as far as a death is concerned, although nobody has been woken for it. */
export class Notebook {
  readonly #file: number;
  /** Which file that is: its pool has it open too, so no other gets them. */
  readonly #device: number;
  readonly #inode: number;
  readonly #page = Buffer.allocUnsafeSlow(pageBytes);
  #bytes = 0;
  /** Of these bytes: each is added once, however often the page is written. */
  #sum = 0;
  #sinceMs = 0;
  /** Its disk does not take what is noted: nothing is any more. */
  #isBroken = false;

  private constructor(file: number) {
    this.#file = file;
    const { dev, ino } = fstatSync(file);
    this.#device = dev;
    this.#inode = ino;
  }

  /** Undefined where it cannot be opened: then everything is said at once. */
  static open(path: string): Notebook | undefined {
    try {
      const file = openSync(path, 'r+');
      // Both have it open; it goes with them.
      unlinkSync(path);
      return new Notebook(file);
    } catch {
      return undefined;
    }
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /**
   * Note these bytes after those that are here; `position`: that of the first of all these in what is said. False, and nothing is noted:
   * there is no room, or it is time to say what is here.
   */
  add(parts: readonly Uint8Array[], position: number): boolean {
    if (this.#isBroken) return false;
    const time = now();
    if (this.#bytes === 0) this.#sinceMs = time;
    else if (time - this.#sinceMs >= gatherMs) return false;
    let end = this.#bytes;
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as Uint8Array;
      const start = pageHeadBytes + end;
      end += part.byteLength;
      if (end > notesBytesMax) return false;
      for (let at = 0; at < part.byteLength; at++) this.#page[start + at] = part[at] as number;
    }
    const known = this.#bytes === 0 ? undefined : this.#sum;
    const sum = sumOf(this.#page, pageHeadBytes + this.#bytes, pageHeadBytes + end, known);
    const length = closePage(this.#page, position, end, sum);
    this.#isBroken = !this.#isKept(length);
    if (this.#isBroken) return false;
    this.#bytes = end;
    this.#sum = sum;
    return true;
  }

  /**
   * Write so much of the page. A task that closes a descriptor which is not its own may have closed this one, and what it has
   * opened since has the number: a microsecond to find out, each time, and nothing of that is written over.
   */
  #isKept(length: number): boolean {
    try {
      const { dev, ino } = fstatSync(this.#file);
      if (ino !== this.#inode || dev !== this.#device) return false;
      return writeSync(this.#file, this.#page, 0, length, 0) === length;
    } catch {
      return false;
    }
  }

  /** What is here, which is said now. A view: it is valid until something is noted again. */
  take(): Uint8Array {
    const noted = viewOf(this.#page, pageHeadBytes, pageHeadBytes + this.#bytes);
    this.#bytes = 0;
    return noted;
  }
}
