/** One child process as the pool's driver sees it: frames out, frames in, pipes drained, its end told exactly once. */
import type { Duplex } from 'node:stream';
import type { PrintMessage } from '../child/message.ts';
import type { ChildExit, IndexRange } from '../core/chunk.ts';
import { FrameError, FrameReader, frameType } from '../frames.ts';
import type { LaunchedChild, Launcher } from '../launchers/launcher.ts';
import { notStarted } from '../launchers/not-started.ts';
import { ChildOrders } from './child-orders.ts';
import { ChildWords } from './child-words.ts';
import type { Block, ChildSetup, ChunkRequest, RemoteErrorData, TaskRef } from './chunk-request.ts';
import { MemoryGuard } from './memory-guard.ts';
import { Nonces } from './nonces.ts';
import { PipedLines } from './piped-lines.ts';
import { WorkFolder } from './work-folder.ts';

/** Whom a child's news go to. */
export interface ChildListener {
  /** Throws a {@link FrameError} where the frame is none of ours. */
  frame(child: ChildProcess, type: number, body: Buffer): void;
  /** It sent what no child of ours sends (then nothing more is read), or took far more memory than it may. */
  broken(child: ChildProcess): void;
  /** Its channel has ended. */
  lost(child: ChildProcess): void;
  print(child: ChildProcess, print: PrintMessage): void;
  /** It is gone, and all that it had sent has been told. */
  exited(child: ChildProcess, exit: ChildExit): void;
}

const stderrTailChars = 2_048;
/** After its exit, what it had sent is on its way for a moment; nobody but a stray grandchild could prolong this. */
const drainMs = 250;
/** Who has had so many orders behind others gets a notebook: short jobs and short lives are not worth the file. */
const ordersBeforeNotebook = 16;
/** Frames other than values are far smaller than this. */
const frameBytesExtra = 2 * 1024 * 1024;

/** Of all children of this process. */
const nonces = new Nonces();

export class ChildProcess {
  readonly id: number;
  /** Of its setup: what it may serve. */
  readonly key: string;
  readonly startedAt: Date = new Date();
  /** How long its initializer may take; undefined where nobody has said. */
  readonly initializerMs: number | undefined;
  rssBytes = 0;
  /** Why it could not be started. */
  startError: Error | undefined;
  /** What its initializer threw. */
  initializerError: RemoteErrorData | undefined;
  /** How it ended. */
  exit: ChildExit | undefined;
  readonly orders: ChildOrders;
  readonly #listener: ChildListener;
  readonly #launched: LaunchedChild;
  readonly #reader: FrameReader;
  readonly #words: ChildWords = new ChildWords(
    (bytes) => this.#read(bytes),
    () => this.#partsLeft > 0,
  );
  /** It is kept apart, and opens none of our files. */
  readonly #isApart: boolean;
  readonly #pipes: PipedLines[] = [];
  #workFolder: WorkFolder | undefined;
  #memoryGuard: MemoryGuard | undefined;
  #stderrTail = '';
  #saidPid: number | undefined;
  /** It has got something to run since it spoke last. */
  #hasOrders = false;
  /** What it was given and has not said to be over. */
  #partsLeft = 0;
  #ordersAhead = 0;
  #isBroken = false;
  #hasExited = false;

  /** `task` is what it will run first, where that is known. */
  constructor(
    id: number,
    setup: ChildSetup,
    task: TaskRef | undefined,
    launcher: Launcher,
    listener: ChildListener,
  ) {
    this.id = id;
    this.key = setup.key;
    this.#isApart = setup.isolation !== undefined;
    this.initializerMs = setup.initializer?.timeoutMs;
    this.#listener = listener;
    const { env, execArgv, isolation, key, preload = false, startChildren = 'spawn', stdio } = setup;
    const { notForked, workParentDir } = setup;
    const modules = startChildren === 'spawn' ? [] : modulesOf(setup, task);
    const onExit = (exit: ChildExit, startError?: Error): void => {
      this.startError = startError;
      this.#exited(exit);
    };
    const start = (): LaunchedChild => {
      this.#workFolder = workParentDir === undefined ? undefined : WorkFolder.make(workParentDir);
      const readsStdout = stdio === 'forward';
      const asked = { key, env, execArgv, startChildren, notForked, isolation };
      const request = { ...asked, modules, preload, readsStdout };
      const onUser = (uid: number): void => this.#workFolder?.giveTo(uid);
      return launcher.launch({ ...request, workDir: this.#workFolder?.path, onUser }, onExit);
    };
    try {
      this.#launched = start();
    } catch (error) {
      // No folder can be made, or not be given away: the disk is full, or belongs to somebody else.
      this.#launched = notStarted(error as Error, onExit);
    }
    const nonce = nonces.next();
    const onFrame = (type: number, body: Buffer): void => {
      // Of a part whose function cannot be loaded nothing more is said.
      if (type === frameType.partEnded || type === frameType.taskUnloadable) this.#partsLeft -= 1;
      listener.frame(this, type, body);
    };
    this.#reader = new FrameReader(onFrame, { nonce, bodyBytesMax: frameBytesExtra });
    this.#readPipes(setup);
    if (this.#launched.channel !== undefined) this.#readChannel(this.#launched.channel);
    this.orders = new ChildOrders(this.#launched.channel, nonce);
    // In a container it has another folder, and is there already.
    this.orders.setUp(setup, isolation?.level === 'container' ? undefined : this.#workFolder?.path);
    this.#guardMemory(setup.maxRssBytes);
  }

  /** What it says is shown and nothing else: nobody is killed by a number that came out of a child. */
  get pid(): number | undefined {
    return this.#launched.pid ?? this.#saidPid;
  }

  /** Its number as it says it. */
  says(pid: number): void {
    this.#saidPid = pid;
  }

  get stderrTail(): string {
    return this.#stderrTail.trimEnd();
  }

  kill(): void {
    this.#launched.kill();
  }

  keepAlive(isKept: boolean): void {
    if (!this.#hasExited) this.#launched.keepAlive(isKept);
  }

  pause(isPaused: boolean): void {
    const { channel } = this.#launched;
    if (this.#hasExited || channel === undefined) return;
    this.#words.pause(isPaused);
    if (isPaused) channel.pause();
    else channel.resume();
  }

  /** Give it consecutive items. `idOf` numbers blocks, the same for all children. */
  run(request: ChunkRequest, range: IndexRange, marksStarts: boolean, idOf: (block: Block) => number): void {
    this.#reader.bodyBytesMax = Math.max(this.#reader.bodyBytesMax, request.maxResultBytes + frameBytesExtra);
    if (this.#hasOrders && !marksStarts) this.#ordersAhead += 1;
    if (this.#ordersAhead >= ordersBeforeNotebook && !this.#isApart) {
      const notebook = this.#words.offerNotebook();
      if (notebook !== undefined) this.orders.shareNotebook(notebook);
    }
    this.orders.run(request, range, marksStarts, idOf);
    this.#hasOrders = true;
    this.#partsLeft += 1;
    this.#words.ordered();
  }

  /** Remember the end of what it wrote to stderr. */
  noteStderr(text: string): void {
    this.#stderrTail = `${this.#stderrTail}${text}\n`.slice(-stderrTailChars);
  }

  #guardMemory(maxRssBytes: number | undefined): void {
    if (this.#launched.channel === undefined || maxRssBytes === undefined) return;
    const pid = (): number | undefined => this.#launched.pid;
    this.#memoryGuard = new MemoryGuard(pid, maxRssBytes, (why) => {
      this.noteStderr(why);
      this.#listener.broken(this);
    });
  }

  #readChannel(channel: Duplex): void {
    channel.on('data', (chunk: Buffer) => {
      this.#hasOrders = false;
      this.#words.heard(chunk);
    });
    let isLost = false;
    const lost = (): void => {
      if (isLost) return;
      isLost = true;
      if (!this.#hasExited) this.#listener.lost(this);
    };
    channel.on('end', lost);
    channel.on('close', lost);
    // EPIPE and ECONNRESET: it is gone, which its exit tells.
    channel.on('error', lost);
  }

  #read(bytes: Buffer): void {
    if (this.#isBroken) return;
    try {
      this.#reader.push(bytes);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#isBroken = true;
      this.#listener.broken(this);
    }
  }

  #readPipes({ output, stdio }: ChildSetup): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      const pipe = this.#launched[stream];
      if (pipe === undefined) continue;
      this.#pipes.push(
        new PipedLines(
          pipe,
          (text) => {
            if (stream === 'stderr') this.noteStderr(text);
            if (stdio === 'forward') this.#listener.print(this, { stream, text });
          },
          output?.printBytesPerSecond,
        ),
      );
    }
  }

  /** Death is keyed on the exit, never on the end of a pipe: a grandchild can hold that for ever. */
  #exited(exit: ChildExit): void {
    this.#memoryGuard?.stop();
    this.#workFolder?.remove();
    const { channel, stdout, stderr } = this.#launched;
    // A stream that ended in an error (the child left without reading everything) is destroyed and never "ends".
    const open = [channel, stdout, stderr].filter(
      (stream) => stream !== undefined && !stream.readableEnded && !stream.destroyed,
    );
    let left = open.length;
    if (left === 0) {
      this.#tellExit(exit);
      return;
    }
    let isTold = false;
    const tell = (): void => {
      if (isTold) return;
      isTold = true;
      clearTimeout(timer);
      this.#tellExit(exit);
    };
    const timer = setTimeout(tell, drainMs);
    for (const stream of open) {
      let isDone = false;
      const done = (): void => {
        if (isDone) return;
        isDone = true;
        left -= 1;
        if (left === 0) tell();
      };
      stream?.once('end', done);
      stream?.once('close', done);
      // It may have been paused; what is left in it is bounded by the system's buffer.
      stream?.resume();
    }
  }

  #tellExit(exit: ChildExit): void {
    this.#words.finish();
    this.#hasExited = true;
    for (const pipe of this.#pipes) pipe.finish();
    const { channel, stdout, stderr } = this.#launched;
    for (const stream of [channel, stdout, stderr]) {
      if (stream === undefined || stream.destroyed) continue;
      stream.removeAllListeners();
      // Destroying may still raise an error, and there is nobody left to be told.
      stream.on('error', () => {});
      stream.destroy();
    }
    this.#listener.exited(this, exit);
  }
}

/** What it loads first: the modules of its initializer and of its first task. */
function modulesOf({ initializer }: ChildSetup, task: TaskRef | undefined): string[] {
  const refs = [initializer?.task, task].filter((ref) => ref !== undefined);
  return [...new Set(refs.flatMap((ref) => (ref.kind === 'inline' ? [] : [ref.url])))];
}
