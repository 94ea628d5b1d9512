/**
 * The child's end of the private descriptor.
 *
 * Writes are synchronous, so that a start mark is out before its item runs and a task that never yields still reports.
 * When the pool does not read (a slow consumer, or one that has not come to it yet), the system's buffer fills up. The rest
 * waits for the event loop to write it, and the runner starts no further item until it is gone. To try again and again
 * instead cost a fifth of a child's CPU where results are large. Functions are taken at start: tasks may replace them.
 */
import { Buffer } from 'node:buffer';
import { writevSync } from 'node:fs';
import { Socket } from 'node:net';
import { FrameReader, type FrameType, FrameWriter, nonceBytes } from '../frames.ts';
import type { Notebook } from './notebook.ts';

/** Where a pool is heard, but for rehearsals. */
let descriptor = 3;
/** Blocks and items come from our own pool; this is the longest that a Buffer can be asked for sensibly. */
const bodyBytesMax = 0xffff_ffff;
const retryMs = 1;
/** What is read at once: about what the system holds for us. */
const readBytes = 65_536;
/** What may be written and not have left: two full batches, or one of the biggest. */
const roomBytes = 262_144;

export class Channel {
  /** Called when everything that waited has been written. */
  onDrain: () => void = () => {};
  readonly #socket: Socket;
  #writer: FrameWriter | undefined;
  /** Said while corked; undefined: what is said is written at once. */
  #corked: Uint8Array[] | undefined;
  /** What the event loop is writing. */
  #leaving: readonly Uint8Array[] = [];
  /** What was said since. */
  #waiting: Uint8Array[] = [];
  /** Of both together, about: what is leaving counts until it has left. */
  #backlogBytes = 0;
  /** Of all that was said. */
  #saidBytes = 0;
  /** Where what need not wake anybody may be noted; undefined: all is said. */
  notebook: Notebook | undefined;
  readonly #leave: (parts: readonly Uint8Array[], done: () => void) => void;
  /** Memory for what is said, and how much of it is taken. */
  #room: Buffer | undefined;
  #roomTaken = 0;

  /** What it is heard on: a descriptor that the child was born with, or a socket over which it has dialled back. */
  constructor(onFrame: (type: number, body: Buffer) => void, heardOn: number | Socket = 3) {
    descriptor = typeof heardOn === 'number' ? heardOn : descriptorOf(heardOn);
    ownPid = undefined;
    const reader: FrameReader = new FrameReader(
      (type, body) => {
        if (this.#writer === undefined) {
          // The first frame brings the nonce.
          this.#writer = new FrameWriter(reader.nonce ?? new Uint8Array(nonceBytes));
          ownPid = process.pid;
        }
        onFrame(type, body);
      },
      { bodyBytesMax },
    );
    if (typeof heardOn === 'number') {
      // Memory of its own for each read would be garbage at once, which has V8 look through the whole heap again and again.
      const callback = (count: number, bytes: Uint8Array): boolean => {
        reader.push(viewFrom(bytes, 0, count) as Buffer, true);
        return true;
      };
      const onread = { buffer: allocUnsafeSlow(readBytes), callback };
      this.#socket = new Socket({ fd: descriptor, readable: true, writable: true, onread });
    } else {
      this.#socket = heardOn;
      this.#socket.on('data', (chunk: Buffer) => reader.push(chunk));
    }
    this.#leave = leaverOf(this.#socket);
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
    return this.#leaving.length > 0;
  }

  get backlogBytes(): number {
    return this.#backlogBytes;
  }

  message(type: FrameType, message: unknown, bytes?: Uint8Array): void {
    this.send(this.writer.message(type, message, bytes));
  }

  /**
   * Memory for something that is to be sent, at once: it is used again when that has left. To take new memory each time
   * costs several times what is done with it, for none of it is in the processor's cache.
   */
  readonly roomFor = (bytes: number): Uint8Array => {
    const start = this.#roomTaken;
    if (start + bytes > roomBytes) return allocUnsafeSlow(bytes);
    this.#room ??= allocUnsafeSlow(roomBytes);
    this.#roomTaken += bytes;
    return viewFrom(this.#room, start, start + bytes);
  };

  /** Keep what is said from here on until {@link uncork}: several frames, one system call. */
  cork(): void {
    this.#corked ??= [];
  }

  /** Say what was kept, and what was noted. */
  uncork(): void {
    const parts = this.#corked ?? [];
    this.#corked = undefined;
    if (parts.length > 0 || this.notebook?.isEmpty === false) this.send(parts);
  }

  /** Note what was kept, so that it is known whatever happens to this process now; or say it, where it cannot be noted. */
  note(): void {
    const { notebook } = this;
    const parts = this.#corked;
    if (parts === undefined || notebook === undefined || this.isBacklogged) {
      this.uncork();
      return;
    }
    this.#corked = undefined;
    if (parts.length > 0 && !notebook.add(parts, this.#saidBytes)) this.send(parts);
  }

  send(parts: readonly Uint8Array[]): void {
    if (this.#corked !== undefined) {
      append(this.#corked, parts);
      return;
    }
    if (this.isBacklogged) {
      const bytes = bytesOf(parts);
      append(this.#waiting, parts);
      this.#backlogBytes += bytes;
      this.#saidBytes += bytes;
      return;
    }
    // Nothing is noted behind a backlog.
    const noted = this.notebook?.isEmpty === false ? this.notebook.take() : undefined;
    const all = noted === undefined ? parts : append([noted], parts);
    this.#saidBytes += bytesOf(all);
    // Of the page as well: it is not written to before that has left.
    this.#leaveLater(write(all));
  }

  /** Write what waits, standing still meanwhile; gives up after `msMax`. For the last words of a process. */
  flushNow(msMax: number): void {
    this.uncork();
    // Of what is leaving, this is what has not left; the event loop has no turn any more in which to go on with it.
    let rest = last(this.#leaving, unwrittenBytes(this.#socket));
    append(rest, this.#waiting);
    this.#waiting = [];
    for (let waited = 0; rest.length > 0 && waited < msMax; waited += retryMs) {
      rest = write(rest);
      if (rest.length > 0) wait(sleeper, 0, 0, retryMs);
    }
  }

  #leaveLater(parts: readonly Uint8Array[]): void {
    this.#leaving = parts;
    this.#backlogBytes = bytesOf(parts);
    if (parts.length > 0) this.#leave(parts, this.#left);
    // Nothing waits: what is sent after this finds all of it free.
    else this.#roomTaken = 0;
  }

  readonly #left = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#leaveLater(waiting);
    if (waiting.length === 0) this.onDrain();
  };
}

/** Gives all parts to the system at once: then it is known how much of them it has not taken. */
function leaverOf(socket: Socket): (parts: readonly Uint8Array[], done: () => void) => void {
  const cork = socket.cork.bind(socket);
  const uncork = socket.uncork.bind(socket);
  const writeLater = socket.write.bind(socket);
  return (parts, done) => {
    cork();
    for (let at = 0; at < parts.length; at++) {
      writeLater(parts[at] as Uint8Array, at === parts.length - 1 ? done : undefined);
    }
    uncork();
  };
}

interface Handle {
  readonly fd?: number;
  readonly writeQueueSize?: number;
}

/** Node shows it to nobody. */
const handleOf = (socket: Socket): Handle | undefined => (socket as unknown as { _handle?: Handle })._handle;

function unwrittenBytes(socket: Socket): number {
  return handleOf(socket)?.writeQueueSize ?? 0;
}

function descriptorOf(socket: Socket): number {
  const fd = handleOf(socket)?.fd;
  if (fd === undefined || fd < 0) throw new Error('This socket has no descriptor.');
  return fd;
}

/** Write as much as the system takes now; what is left over comes back. */
function write(parts: readonly Uint8Array[]): Uint8Array[] {
  const all = append([], parts);
  while (all.length > 0) {
    try {
      // What it has not taken of this it does not take now: another try would fail, and an exception is dear.
      return skip(all, writevSync(descriptor, all));
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EAGAIN') return all;
      if (code === 'EINTR') continue;
      die();
    }
  }
  return all;
}

// Without methods and iterators of arrays: a task may have replaced them, and this is how its result leaves.

function append(list: Uint8Array[], parts: readonly Uint8Array[], from: number = 0): Uint8Array[] {
  for (let at = from; at < parts.length; at++) list[list.length] = parts[at] as Uint8Array;
  return list;
}

const { allocUnsafeSlow } = Buffer;
const viewFrom: (part: Uint8Array, start: number, end?: number) => Uint8Array = Function.prototype.call.bind(
  Uint8Array.prototype.subarray,
) as never;
const { wait } = Atomics;

function skip(parts: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as Uint8Array;
    if (left < part.byteLength) return append([viewFrom(part, left)], parts, i + 1);
    left -= part.byteLength;
  }
  return [];
}

/** The last bytes of these parts. */
function last(parts: readonly Uint8Array[], bytes: number): Uint8Array[] {
  return bytes === 0 ? [] : skip(parts, bytesOf(parts) - bytes);
}

function bytesOf(parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (let at = 0; at < parts.length; at++) sum += (parts[at] as Uint8Array).byteLength;
  return sum;
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));
const kill = process.kill.bind(process);
/** Of the process that is spoken to; unknown before that, for whoever has opened the channel may be copied yet. */
let ownPid: number | undefined;

function die(): never {
  kill(ownPid ?? process.pid, 'SIGKILL');
  // The signal takes effect on the way back from the system call.
  for (;;) wait(sleeper, 0, 0, 1_000);
}
