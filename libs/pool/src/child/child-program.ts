/**
 * The program of a child process. It speaks frames on descriptor 3 (frames.ts), loads task functions, runs items and
 * reports. Nothing but Node's own modules: every import here is paid for by every child. (The one exception is
 * loaded lazily, for TypeScript that Node cannot strip: ts-compiler.ts.)
 *
 * Loading this module does nothing yet: a process may be copied between that and {@link runChild}.
 */
import type { Buffer } from 'node:buffer';
import { flushCompileCache } from 'node:module';
import type { Socket } from 'node:net';
import { frameType, readMessage, readRun } from '../frames.ts';
import { decodeValue } from '../values/block-codec.ts';
import { findBroadcastsBy } from '../values/broadcast.ts';
import { describeThrown, encodeError, limitErrors } from '../values/remote-error.ts';
import { CachedBlock, ItemSource } from './block-cache.ts';
import { Broadcasts } from './broadcasts.ts';
import { Channel } from './channel.ts';
import { CurrentItem } from './current-item.ts';
import { ItemRunner } from './item-runner.ts';
import type {
  AbortMessage,
  BlockMessage,
  ForgetMessage,
  NotebookMessage,
  RunMessage,
  SetupMessage,
  StartedMessage,
  TaskMessage,
} from './message.ts';
import { installModuleHooks } from './module-hooks.ts';
import { Notebook } from './notebook.ts';
import { NumberRun } from './number-run.ts';
import { Part } from './part.ts';
import { PrintCapture } from './print-capture.ts';
import type { PrintSinks } from './print-sinks.ts';
import { numbersMax, ResultBatch } from './result-batch.ts';
import { Task } from './task.ts';
import { loadTask, publishChildState, TaskUnloadable } from './task-loader.ts';

/** How long the last words may wait for a pool that does not read. */
const lastWordsMs = 1_000;
/** When the compiled code is written: after the first work, not before it. */
const compileCacheDelayMs = 500;
/** When the program's own is, once there was work: what a pool does that lives for less is not worth keeping. */
const keepDelayMs = 100;

const { setTimeout, clearTimeout } = globalThis;
// Taken at start, and no method or iterator used where a part is received: a task may have replaced them, and it is others
// that would be blamed.
const { call } = Function.prototype;
const { get, set } = Map.prototype;
const taskOf: (tasks: Map<number, Task>, id: number) => Task | undefined = call.bind(get) as never;
const blockOf: (blocks: Map<number, CachedBlock>, id: number) => CachedBlock | undefined = call.bind(
  get,
) as never;
const keepTask: (tasks: Map<number, Task>, id: number, task: Task) => void = call.bind(set) as never;
const keepBlock: (blocks: Map<number, CachedBlock>, id: number, block: CachedBlock) => void = call.bind(
  set,
) as never;
const forget: (map: Map<number, unknown>, id: number) => void = call.bind(Map.prototype.delete) as never;
const exitProcess: (code: number) => void = process.exit.bind(process);

export interface ChildOptions {
  /** Where it hears of its pool: a descriptor, or a socket over which it has dialled back. Default 3. */
  readonly descriptor?: number | Socket;
  /** Where its modules print to, if they were loaded before it could be heard. */
  readonly sinks?: PrintSinks | undefined;
  /** How it ends when it is told to retire. Default `process.exit`. */
  readonly exit?: (code: number) => void;
  /** Called when much of what a child does was done once, maybe twice: what was compiled for it may be kept for others. */
  readonly keepCompiled?: (() => void) | undefined;
}

/**
 * Begins to listen; from here on this process is a child of a pool. The returned function ends that, for a process that
 * only rehearses.
 */
export function runChild(options: ChildOptions = {}): () => void {
  const { descriptor, sinks, exit = exitProcess, keepCompiled } = options;
  // Ours, not the user's: what a task starts should not find it.
  if (process.env['SHOAL_OWN_COMPILE_CACHE'] !== undefined) {
    delete process.env['SHOAL_OWN_COMPILE_CACHE'];
    delete process.env['NODE_COMPILE_CACHE'];
  }

  const tasks = new Map<number, Task>();
  const blocks = new Map<number, CachedBlock>();
  const broadcasts = new Broadcasts();
  const numbers = new NumberRun(numbersMax);
  let isRetiring = false;
  let hasRun = false;
  let flushTimer: NodeJS.Timeout | undefined;

  const channel = new Channel(handle, descriptor);
  const current = new CurrentItem();
  const prints = new PrintCapture(channel, current, sinks);
  const runner = new ItemRunner(channel, current, prints);

  current.publish();
  publishChildState();
  findBroadcastsBy((sha256) => broadcasts.find(sha256));
  installModuleHooks();
  process.on('exit', sayLastWords);
  return () => {
    process.off('exit', sayLastWords);
    // In a copy it would go off at once, with all that its server has compiled.
    clearTimeout(flushTimer);
    // Whoever rehearses has retired: nothing is said, but how to is compiled.
    sayLastWords();
    prints.uninstall();
    channel.close();
  };

  function handle(type: number, body: Buffer): void {
    if (type === frameType.run) {
      runner.add(partOf(readRun(body)));
      if (!hasRun && keepCompiled !== undefined) setTimeout(keepCompiled, keepDelayMs).unref();
      hasRun = true;
      return;
    }
    const { message, bytes } = readMessage(body);
    switch (type) {
      case frameType.setup:
        void setUp(message as SetupMessage, bytes);
        return;
      case frameType.task: {
        const spec = message as TaskMessage;
        keepTask(tasks, spec.task, new Task(spec));
        return;
      }
      case frameType.block: {
        const spec = message as BlockMessage;
        if (spec.broadcasts !== undefined) broadcasts.learn(spec.broadcasts);
        keepBlock(blocks, spec.block, new CachedBlock(spec, bytes));
        return;
      }
      case frameType.forget: {
        const spec = message as ForgetMessage;
        for (let at = 0; at < spec.blocks.length; at++) forget(blocks, spec.blocks[at] as number);
        for (let at = 0; at < spec.tasks.length; at++) forget(tasks, spec.tasks[at] as number);
        if (spec.broadcasts !== undefined) broadcasts.forget(spec.broadcasts);
        return;
      }
      case frameType.notebook:
        channel.notebook = Notebook.open((message as NotebookMessage).path);
        return;
      case frameType.abort:
        runner.abort(message as AbortMessage);
        return;
      case frameType.stop:
        runner.stop();
        return;
      case frameType.retire:
        runner.whenIdle(retire);
        return;
    }
  }

  async function setUp(message: SetupMessage, bytes: Uint8Array): Promise<void> {
    const { stdio, maxRssBytes, initializer, output, workDir } = message;
    prints.install(stdio, output);
    if (output !== undefined) limitErrors(output);
    if (workDir !== undefined) process.chdir(workDir);
    if (maxRssBytes !== undefined) runner.memory.maxRssBytes = maxRssBytes;
    if (message.broadcasts !== undefined) broadcasts.learn(message.broadcasts);
    const started: StartedMessage = { pid: process.pid };
    if (initializer === undefined) {
      // In one write: the pool wakes once, and its first order is here sooner.
      channel.cork();
      channel.message(frameType.started, started);
      channel.message(frameType.ready, {});
      channel.uncork();
    } else {
      channel.message(frameType.started, started);
      try {
        const initialize = await loadTask(initializer);
        await initialize(...(bytes.byteLength === 0 ? [] : (decodeValue(bytes) as unknown[])));
        // Node ends a process for a rejection that nobody handles, after this turn: then it is the initializer that failed.
        await new Promise<void>((resolve) => void setImmediate(resolve));
      } catch (error) {
        const thrown =
          error instanceof TaskUnloadable ? (error.error ?? unloadable(error)) : describeThrown(error);
        prints.finishAll();
        channel.message(frameType.initializerThrew, {}, encodeError('v8', thrown));
        return;
      }
      channel.message(frameType.ready, {});
    }
    flushTimer = setTimeout(flushCompileCache, compileCacheDelayMs).unref();
  }

  function partOf(spec: RunMessage): Part {
    const task = taskOf(tasks, spec.task);
    if (task === undefined) throw new Error(`Task ${spec.task} was never announced.`);
    const held: CachedBlock[] = [];
    for (let at = 0; at < spec.blocks.length; at++) {
      const id = spec.blocks[at] as number;
      const block = blockOf(blocks, id);
      if (block === undefined) throw new Error(`Block ${id} was never sent.`);
      held[at] = block;
    }
    const source = new ItemSource(held);
    const { encoding, maxResultBytes } = task.spec;
    const onRefused = runner.reports.refused(spec.chunk, encoding);
    const results = new ResultBatch(channel, {
      chunk: spec.chunk,
      encoding,
      maxResultBytes,
      numbers,
      onRefused,
      beforeSend: () => prints.flush(),
    });
    return new Part(spec, task, source, results);
  }

  /** The last result has left; so may we. What exit handlers do from here on is nobody's item. */
  function retire(): void {
    isRetiring = true;
    prints.finishAll();
    channel.message(frameType.bye, {});
    channel.flushNow(lastWordsMs);
    if (hasRun) keepCompiled?.();
    exit(0);
  }

  /** Also after `process.exit` in a task and after an exception that nobody caught: say who was running. */
  function sayLastWords(): void {
    if (isRetiring || !channel.isOpen) return;
    prints.finishAll();
    channel.message(frameType.exiting, runner.lastWords());
    channel.flushNow(lastWordsMs);
  }
}

function unloadable(error: TaskUnloadable): { name: string; message: string; code: string } {
  const { module, name, reason } = error.facts;
  const what = reason ?? `it has no export "${name}"`;
  return { name: 'Error', message: `${module}: ${what}`, code: error.code };
}
