/**
 * One fork server, from the side of the pool: a Node process that has loaded what children need and is copied for each of
 * them (libs/fork-server, fork-main.ts). It tells of its children in the order in which things happen, and of its own end
 * exactly once; after that its children are dead or dying.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { tellingLine } from '../child-pool/telling-line.ts';
import type { ChildExit } from '../core/chunk.ts';
import { answerMs, ServerAnswers } from '../core/server-answers.ts';
import { childrenOf } from './departures.ts';
import type { ForkAddon } from './fork-addon.ts';
import { type ForkNews, ForkNewsReader, type SelfTestResult, selfTests } from './fork-news.ts';
import { leftFiles, withoutInherited } from './inherited-files.ts';
import { killGroup, programPath, withCompileCache } from './process-start.ts';
import { reaper } from './reaper.ts';

/** The argument of fork-main.ts, as JSON. */
export interface ForkServerArguments {
  /** Where the addon lies. */
  readonly addon: string;
  /** URLs of the modules to load before anything is copied. */
  readonly modules: readonly string[];
  /** URLs of those to read and link, without running them, where that makes no difference. */
  readonly links: readonly string[];
  /** How many of its flags, the last ones, are ours. */
  readonly flagCount: number;
}

export interface ForkServerOptions extends Omit<ForkServerArguments, 'flagCount'> {
  readonly env: Readonly<Record<string, string>>;
  readonly execArgv: readonly string[];
}

/** Whom a server's news go to. */
export interface ForkServerListener {
  /** Its trials have passed: it may be given orders. */
  ready(): void;
  forked(id: number, pid: number): void;
  /** No child was made for this order. */
  failed(id: number, error: Error): void;
  /** Nor for this one (undefined: for none so far): what it has linked has changed, so it makes none any more. */
  outdated(id: number | undefined): void;
  exited(pid: number, exit: ChildExit): void;
  /** A child of it, which it may never have told of, is killed with it. */
  killed(pid: number): void;
  /** It is gone, or of no use: why, as a part of a sentence. `wasReady`: it died at work. `wasKilled`: by a signal. */
  gone(why: string, wasReady: boolean, wasKilled: boolean): void;
}

/** The time that servers go by. */
export interface ServerClock {
  nowMs(): number;
  /** Call `late` after so long, unless the returned function is called first; keeps nobody alive. */
  after(ms: number, late: () => void): () => void;
}

export const realClock: ServerClock = {
  nowMs: () => performance.now(),
  after(ms, late) {
    const timer = setTimeout(late, ms).unref();
    return () => clearTimeout(timer);
  },
};

/** From its start to the end of its trials. A busy machine takes its time. */
const readyMs = 30_000;
/** How long it may take to end by itself, once its children are gone. One that is stopped never does. */
const endMs = 1_000;
/** An order without a child: it only has to be answered. */
const question = 0;
/** An order that could not be taken is tried again after this. */
const retryMs = 5;
/** How long its last news may take, once it is gone. */
const drainMs = 500;
const stderrTailChars = 2_048;
/** What Node ends with where nothing is left to do and a module still waits. */
const neverLoaded = 13;
/**
 * One thread of V8 at most, with nothing to do: a copy has none, and would wait for what it had been given. And a loop that
 * runs for long goes to the best compiler at once: without a helper V8 would leave it with the second best, for ever, in
 * which a loop that makes objects takes twenty times as long.
 *
 * What V8 does for a process that has time is not done in each copy anew: collecting the server's garbage (a fifth of what
 * a copy cost; where its young objects were many, 800 page faults more), and compiling with Sparkplug what it has called a few
 * times, before there is a lot of it. And Node's own code is in pages of 2 MiB where the system has such: a copy would fetch it in
 * two hundred pieces.
 */
export const nodeFlags: readonly string[] = [
  '--single-threaded',
  '--v8-pool-size=1',
  '--no-maglev-osr',
  '--no-memory-reducer',
  '--no-minor-gc-task',
  '--baseline-batch-compilation-threshold=65536',
  '--use-largepages=silent',
];

export class ForkServer {
  readonly #addon: ForkAddon;
  readonly #listener: ForkServerListener;
  readonly #modules: readonly string[];
  readonly #control: number;
  readonly #socket: Socket;
  readonly #process: ChildProcess;
  readonly #stopTimer: () => void;
  readonly #trials: string[] = [];
  #trialsPassed = 0;
  #stderrTail = '';
  #isReady = false;
  #isGone = false;
  #isClosing = false;
  readonly #untaken: { readonly id: number; readonly fds: readonly number[] }[] = [];
  readonly #clock: ServerClock;
  readonly #answers = new ServerAnswers();
  #stopWatch: (() => void) | undefined;
  /** It is in C, and ends by itself where its socket does. */
  #isServing = false;
  #whenClosed: (() => void)[] = [];

  constructor(
    addon: ForkAddon,
    options: ForkServerOptions,
    listener: ForkServerListener,
    clock: ServerClock = realClock,
  ) {
    this.#addon = addon;
    this.#listener = listener;
    this.#modules = options.modules;
    this.#clock = clock;
    const [own, its] = addon.makePair();
    this.#control = own;
    const args: ForkServerArguments = {
      addon: options.addon,
      modules: options.modules,
      links: options.links,
      flagCount: nodeFlags.length,
    };
    try {
      const closed = withoutInherited(['ignore', 'ignore', 'pipe', its]);
      this.#process = spawn(
        process.execPath,
        [...options.execArgv, ...nodeFlags, programPath('fork-main'), JSON.stringify(args)],
        {
          detached: true,
          env: { ...withCompileCache(options.env), ...leftFiles() },
          stdio: closed,
        },
      );
    } catch (error) {
      addon.closeEnds([own]);
      throw error;
    } finally {
      addon.closeEnds([its]);
    }
    const { pid } = this.#process;
    if (pid !== undefined) reaper.watch(pid);
    this.#socket = new Socket({ fd: own, readable: true, writable: false });
    const reader = new ForkNewsReader((news) => this.#take(news));
    this.#socket.on('data', (chunk: Buffer) => reader.push(chunk));
    this.#socket.on('error', () => {});
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#stderrTail = `${this.#stderrTail}${chunk.toString()}`.slice(-stderrTailChars);
    });
    this.#process.on('error', (error) => {
      if (pid === undefined) this.#leave(`it cannot be started: ${error.message}`);
    });
    this.#process.once('exit', (code, signal) => this.#exited(code, signal));
    this.#stopTimer = clock.after(readyMs, () => this.#leave('it was not ready in time'));
    this.keepAlive(false);
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Ask for a child that gets these descriptors. They stay ours too: a server that dies has not made it. */
  order(id: number, fds: readonly number[]): void {
    this.#untaken.push({ id, fds });
    if (!isTrial(id)) this.#answers.ordered(this.#clock.nowMs());
    this.#watch();
    if (this.#untaken.length === 1) this.#send();
  }

  /** Its child was killed: where it lives, it tells the end of it, or at least answers. */
  awaitEnd(pid: number): void {
    if (this.#isGone) return;
    if (this.#answers.killed(pid, this.#clock.nowMs())) this.order(question, []);
  }

  #watch(): void {
    const deadlineMs = this.#isGone ? undefined : this.#answers.nextDeadlineMs();
    if (this.#stopWatch !== undefined || deadlineMs === undefined) return;
    const late = (): void => {
      this.#stopWatch = undefined;
      if (this.#isGone) return;
      const verdict = this.#answers.passed(this.#clock.nowMs());
      if (verdict === 'stuck') this.#leave('it does not answer any more');
      else if (verdict === 'ask') this.order(question, []);
      else this.#watch();
    };
    // Where it was this process that was busy, the answer is there already, and is read first.
    const stop = this.#clock.after(Math.max(1, deadlineMs - this.#clock.nowMs()), () => setImmediate(late));
    this.#stopWatch = stop;
  }

  /** Whether its news keep this process alive. Its end does, where somebody waits for that. */
  keepAlive(isKept: boolean): void {
    if (this.#isClosing) return;
    if (isKept) this.#socket.ref();
    else {
      this.#socket.unref();
      this.#process.unref();
      (this.#process.stderr as Partial<Socket> | null)?.unref?.();
    }
  }

  /** End it, and every child that it still has. Resolves when it is gone; nothing more is told. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#process.exitCode !== null || this.#process.signalCode !== null || this.pid === undefined) {
        this.#leave('');
        resolve();
        return;
      }
      this.#isClosing = true;
      this.#process.ref();
      this.#whenClosed.push(resolve);
      // One that hangs in the kernel is waited for no longer.
      setTimeout(resolve, endMs + answerMs).unref();
      this.#leave('');
    });
  }

  #send(): void {
    for (let next = this.#untaken[0]; next !== undefined && !this.#isGone; next = this.#untaken[0]) {
      try {
        if (!this.#addon.sendOrder(this.#control, next.id, next.fds)) {
          setTimeout(() => this.#send(), retryMs);
          return;
        }
      } catch {
        // EPIPE: its exit tells, and who was not forked is known.
        return;
      }
      this.#untaken.shift();
    }
  }

  #take(news: ForkNews): void {
    if (this.#isGone) return;
    this.#note(news);
    switch (news.kind) {
      case 'ready':
        this.#isServing = true;
        try {
          for (let id = 1; id <= selfTests; id++) this.#startTrial(id);
        } catch (error) {
          this.#leave(`it cannot be tried: ${(error as Error).message}`);
        }
        return;
      case 'refused':
        this.#leave(news.why);
        return;
      case 'forked':
        if (!isTrial(news.id)) this.#listener.forked(news.id, news.pid);
        return;
      case 'failed':
        if (news.id === question) return;
        if (news.errno === constants.errno.ESTALE) {
          this.#listener.outdated(isTrial(news.id) ? undefined : news.id);
          return;
        }
        if (isTrial(news.id)) this.#leave(`the system makes no copy of it (errno ${news.errno})`);
        else this.#listener.failed(news.id, new Error(`fork failed with errno ${news.errno}`));
        return;
      case 'exited':
        if (this.#isReady) this.#listener.exited(news.exit.pid, news.exit);
        else this.#trialEnded(news.exit);
        return;
    }
  }

  #note(news: ForkNews): void {
    const atMs = this.#clock.nowMs();
    if ((news.kind === 'forked' || news.kind === 'failed') && !isTrial(news.id)) this.#answers.answered(atMs);
    if (news.kind === 'exited') this.#answers.ended(news.exit.pid, atMs);
    this.#watch();
  }

  #startTrial(id: number): void {
    const [own, its] = this.#addon.makePair();
    const channel = new Socket({ fd: own, readable: true, writable: false });
    channel.unref();
    let text = '';
    channel.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    channel.on('error', () => {});
    channel.on('close', () => {
      this.#trials.push(text);
      this.#judge();
    });
    // Its stderr is its channel: nobody is told what a trial says while it fails.
    this.order(id, [its, its]);
    this.#addon.closeEnds([its]);
  }

  #trialEnded({ exitCode, signal }: ChildExit): void {
    if (exitCode !== 0) this.#leave(`a copy of it failed (${signal ?? `exit code ${exitCode}`})`);
    else {
      this.#trialsPassed += 1;
      this.#judge();
    }
  }

  #judge(): void {
    if (this.#isReady || this.#isGone) return;
    if (this.#trials.length < selfTests || this.#trialsPassed < selfTests) return;
    const results = this.#trials.map(parseResult);
    for (const name of ['pid', 'random', 'uuid'] as const) {
      const values = new Set(results.map((result) => result?.[name]));
      if (values.size < selfTests || values.has(undefined)) {
        this.#leave(`copies of it have the same ${name}`);
        return;
      }
    }
    this.#stopTimer();
    this.#isReady = true;
    this.#listener.ready();
  }

  #exited(code: number | null, signal: string | null): void {
    const { pid } = this;
    if (pid !== undefined) {
      killGroup(pid);
      reaper.unwatch(pid);
    }
    for (const resolve of this.#whenClosed.splice(0)) resolve();
    // What it has told before it died is still on its way, and says who is its child; and what it has printed says why.
    // A signal that nobody has sent is a crash of its own, as of a module that it has loaded.
    const wasKilled = signal === 'SIGKILL' || signal === 'SIGTERM';
    const leave = (): void => this.#leave(this.#wayOfEnding(code, signal), wasKilled);
    const { stderr } = this.#process;
    const leaveOnceRead = (): void => {
      if (this.#socket.closed && stderr?.closed !== false) leave();
    };
    leaveOnceRead();
    this.#socket.once('close', leaveOnceRead);
    stderr?.once('close', leaveOnceRead);
    setTimeout(leave, drainMs).unref();
  }

  #wayOfEnding(code: number | null, signal: string | null): string {
    // Node says so; a module may as well have ended the process with the same code.
    if (code === neverLoaded && /unsettled top-level await/.test(this.#stderrTail)) {
      const modules = this.#modules.length === 0 ? ['a module of --import'] : this.#modules;
      return `an await at the top of ${modules.join(' or ')} never ends`;
    }
    const line = tellingLine(this.#stderrTail);
    return `it ended by ${signal ?? `exit code ${code}`}${line === '' ? '' : `: ${line}`}`;
  }

  /** Nothing more is asked of it, and nothing more is heard. */
  #leave(why: string, wasKilled = false): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#stopTimer();
    this.#stopWatch?.();
    // It ends of the end of its socket, after its children; killing it ends what hangs in a module, is stopped or stuck.
    this.#socket.destroy();
    if (this.#isClosing && this.#isServing) setTimeout(() => this.#kill(), endMs).unref();
    else this.#kill();
    if (!this.#isClosing) this.#listener.gone(why, this.#isReady, wasKilled);
  }

  /** With its children, whether it has told of them or not. They would die with it, but not what they have started. */
  #kill(): void {
    const { exitCode, pid, signalCode } = this.#process;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    for (const child of childrenOf(pid)) {
      this.#listener.killed(child);
      killGroup(child);
    }
    this.#process.kill('SIGKILL');
  }
}

const isTrial = (id: number): boolean => id > question && id <= selfTests;

function parseResult(text: string): Partial<SelfTestResult> | undefined {
  try {
    return JSON.parse(text) as Partial<SelfTestResult>;
  } catch {
    return undefined;
  }
}
