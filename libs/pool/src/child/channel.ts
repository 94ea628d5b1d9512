/**
 * The child's end of the private descriptor.
 *
 * Writes are synchronous, so that a start mark is out before its item runs and a task that never yields still reports.
 * When the pool does not read (a slow consumer), the system's buffer fills up and the rest waits here; the runner then
 * starts no further item until it is gone. Functions of `fs` are taken at start: tasks may replace them.
 */
import type { Buffer } from 'node:buffer';
import { writevSync } from 'node:fs';
import { Socket } from 'node:net';
import { FrameReader, type FrameType, FrameWriter, nonceBytes } from '../frames.ts';

/** Where a pool is heard, but for rehearsals. */
let descriptor = 3;
/** Blocks and items come from our own pool; this is the longest that a Buffer can be asked for sensibly. */
const bodyBytesMax = 0xffff_ffff;
const retryMs = 1;

const { setImmediate, setTimeout } = globalThis;

export class Channel {
  /** Called when everything that waited has been written. */
  onDrain: () => void = () => {};
  readonly #socket: Socket;
  #writer: FrameWriter | undefined;
  /** Said while corked; undefined: what is said is written at once. */
  #corked: Uint8Array[] | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #retries = 0;

  /** What it is heard on: a descriptor that the child was born with, or a socket over which it has dialled back. */
  constructor(onFrame: (type: number, body: Buffer) => void, heardOn: number | Socket = 3) {
    descriptor = typeof heardOn === 'number' ? heardOn : descriptorOf(heardOn);
    ownPid = process.pid;
    const reader: FrameReader = new FrameReader(
      (type, body) => {
        // The first frame brings the nonce.
        this.#writer ??= new FrameWriter(reader.nonce ?? new Uint8Array(nonceBytes));
        onFrame(type, body);
      },
      { bodyBytesMax },
    );
    this.#socket =
      typeof heardOn === 'number' ? new Socket({ fd: descriptor, readable: true, writable: false }) : heardOn;
    this.#socket.on('data', (chunk: Buffer) => reader.push(chunk));
    // Without the pool there is nobody to work for. No exit handlers: they would run unwatched.
    this.#socket.on('end', die);
    this.#socket.on('close', die);
    this.#socket.on('error', die);
  }

  /** Hear and say nothing more, and live on. */
  close(): void {
    this.#socket.removeAllListeners();
    this.#socket.destroy();
  }

  get writer(): FrameWriter {
    if (this.#writer === undefined) throw new Error('Nothing can be said before the first frame.');
    return this.#writer;
  }

  /** The pool has said the first word, so that we can answer. */
  get isOpen(): boolean {
    return this.#writer !== undefined;
  }

  get isBacklogged(): boolean {
    return this.#waiting.length > 0;
  }

  get backlogBytes(): number {
    return this.#waitingBytes;
  }

  message(type: FrameType, message: unknown, bytes?: Uint8Array): void {
    this.send(this.writer.message(type, message, bytes));
  }

  /** Keep what is said from here on until {@link uncork}: several frames, one system call. */
  cork(): void {
    this.#corked ??= [];
  }

  uncork(): void {
    const parts = this.#corked;
    this.#corked = undefined;
    if (parts !== undefined && parts.length > 0) this.send(parts);
  }

  send(parts: readonly Uint8Array[]): void {
    if (this.#corked !== undefined) {
      this.#corked.push(...parts);
      return;
    }
    if (this.#waiting.length > 0) {
      this.#keep(parts);
      return;
    }
    const rest = write(parts);
    if (rest.length === 0) return;
    this.#keep(rest);
    this.#retryLater();
  }

  /** Write what waits, standing still meanwhile; gives up after `msMax`. For the last words of a process. */
  flushNow(msMax: number): void {
    this.uncork();
    for (let waited = 0; this.#waiting.length > 0 && waited < msMax; waited += retryMs) {
      this.#setWaiting(write(this.#waiting));
      if (this.#waiting.length > 0) Atomics.wait(sleeper, 0, 0, retryMs);
    }
  }

  #retry(): void {
    this.#setWaiting(write(this.#waiting));
    if (this.#waiting.length > 0) this.#retryLater();
    else {
      this.#retries = 0;
      this.onDrain();
    }
  }

  #retryLater(): void {
    // The pool usually reads on at once; only a paused one is asked again at leisure.
    if (this.#retries++ < 20) setImmediate(() => this.#retry());
    else setTimeout(() => this.#retry(), retryMs);
  }

  #keep(parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      this.#waiting.push(part);
      this.#waitingBytes += part.byteLength;
    }
  }

  #setWaiting(parts: Uint8Array[]): void {
    this.#waiting = parts;
    this.#waitingBytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
  }
}

/** Node shows it to nobody. */
function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } };
  if (handle?.fd === undefined || handle.fd < 0) throw new Error('This socket has no descriptor.');
  return handle.fd;
}

/** Write as much as the system takes now; what is left over comes back. */
function write(parts: readonly Uint8Array[]): Uint8Array[] {
  let rest = [...parts];
  while (rest.length > 0) {
    let written: number;
    try {
      written = writevSync(descriptor, rest);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EAGAIN') return rest;
      if (code === 'EINTR') continue;
      die();
    }
    rest = skip(rest, written);
  }
  return rest;
}

function skip(parts: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as Uint8Array;
    if (left < part.byteLength) return [part.subarray(left), ...parts.slice(i + 1)];
    left -= part.byteLength;
  }
  return [];
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));
const kill = process.kill.bind(process);
/** Of the process that has a channel: a copy of this one has another number. */
let ownPid: number | undefined;

function die(): never {
  kill(ownPid ?? process.pid, 'SIGKILL');
  // The signal takes effect on the way back from the system call.
  for (;;) Atomics.wait(sleeper, 0, 0, 1_000);
}
