/**
 * All that a child says, in its order: what comes over its channel, and what it has only noted (notebook-page.ts) where it is gone or
 * has been silent for a while. What was taken from its notes is not taken again when it says it.
 */
import { Buffer } from 'node:buffer';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pageBytes, readPage } from '../notebook-page.ts';
import { workParentDir } from './work-folder.ts';

/** A child that has said nothing for so long may be busy with an item that takes unlike those before it: its notes are read, in ms. */
const silentMs = 20;
/** It is looked at again, after twice as long each time, up to so many ms: it may note something at any time while it is busy. */
const silentMsMax = 640;

export class ChildWords {
  readonly #take: (bytes: Buffer) => void;
  readonly #isBusy: () => boolean;
  /** Bytes that came over the channel. */
  #channelBytes = 0;
  /** Bytes that were taken, of the channel's and of the notes. */
  #takenBytes = 0;
  #file: number | undefined;
  #path = '';
  #wasOffered = false;
  #hasSpoken = false;
  #isPaused = false;
  #timer: NodeJS.Timeout | undefined;
  #lookMs = silentMs;

  /** `take` is given each byte once. `isBusy`: it has something to do, and has not said that it is done. */
  constructor(take: (bytes: Buffer) => void, isBusy: () => boolean) {
    this.#take = take;
    this.#isBusy = isBusy;
  }

  /** Has a file made for its notes, once; returns its path, and undefined where there is none or it is known already. */
  offerNotebook(): string | undefined {
    if (this.#wasOffered) return undefined;
    this.#wasOffered = true;
    try {
      made += 1;
      const path = join(workParentDir(), `notes-${made}`);
      const file = openSync(path, 'wx+', 0o600);
      this.#file = file;
      this.#path = path;
      // All of it, so that a disk that is full is full now.
      writeSync(file, Buffer.alloc(pageBytes));
      return path;
    } catch {
      // No room, no right, or too many open files: it says everything, which only costs more.
      this.#forget();
      return undefined;
    }
  }

  /** It has got something to do. */
  ordered(): void {
    this.#watchClosely();
  }

  /** Bytes have come over its channel. */
  heard(bytes: Buffer): void {
    this.#hasSpoken = true;
    this.#watchClosely();
    const from = this.#channelBytes;
    this.#channelBytes += bytes.length;
    const known = this.#takenBytes - from;
    if (known >= bytes.length) return;
    this.#takenBytes = this.#channelBytes;
    this.#take(known > 0 ? bytes.subarray(known) : bytes);
  }

  /** While nothing is to be taken from it, its notes are left alone too. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
    if (!isPaused) this.#watch();
  }

  /** It is gone, and all that came over its channel was heard: what it noted last is all there is. */
  finish(): void {
    clearTimeout(this.#timer);
    if (this.#file !== undefined) this.#takeNotes(pageOf(this.#file));
    this.#forget();
  }

  #forget(): void {
    if (this.#file === undefined) return;
    const file = this.#file;
    this.#file = undefined;
    try {
      closeSync(file);
      // Only a child that never came to open it has left it there.
      unlinkSync(this.#path);
    } catch {}
  }

  #watchClosely(): void {
    if (this.#lookMs !== silentMs) {
      this.#lookMs = silentMs;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    this.#watch();
  }

  #watch(): void {
    if (this.#file === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const hasSpoken = this.#hasSpoken;
      this.#hasSpoken = false;
      if (!hasSpoken) {
        if (!this.#isPaused) this.#takeNotesOfLiving();
        this.#lookMs = Math.min(2 * this.#lookMs, silentMsMax);
      }
      if (hasSpoken || this.#isBusy()) this.#watch();
    }, this.#lookMs).unref();
  }

  /** It may be writing at this very moment: what is not the same twice is looked at later. */
  #takeNotesOfLiving(): void {
    if (this.#file === undefined) return;
    const page = pageOf(this.#file);
    if (page.equals(pageOf(this.#file))) this.#takeNotes(page);
  }

  #takeNotes(page: Buffer): void {
    const notes = readPage(page, page.length);
    // What comes before them is still on its way, or they were said meanwhile.
    if (notes === undefined || notes.position > this.#takenBytes) return;
    const known = this.#takenBytes - notes.position;
    if (known >= notes.bytes.length) return;
    this.#takenBytes += notes.bytes.length - known;
    this.#take(notes.bytes.subarray(known));
  }
}

let made = 0;

/** Nothing where the disk does not give it back: what was noted there is run again, if its child is gone. */
function pageOf(file: number): Buffer {
  const page = Buffer.allocUnsafe(pageBytes);
  try {
    return page.subarray(0, readSync(file, page, 0, pageBytes, 0));
  } catch {
    return page.subarray(0, 0);
  }
}
