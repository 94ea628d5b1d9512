import type { Duplex, Readable } from 'node:stream';
import type { ChildExit } from '../core/chunk.ts';
import type { Isolation } from './isolation.ts';

/**
 * How children are started: as processes of their own (`spawn`), as copies of one that has loaded what they need (`fork`),
 * or as what is measured to be better (`auto`).
 */
export type StartChildren = 'auto' | 'spawn' | 'fork';

/** What to start. */
export interface LaunchRequest {
  /** Whom it serves: equal keys mean equal requests, and nothing of another key's may be shared with it. */
  readonly key: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly execArgv: readonly string[];
  /** How it is to be started. */
  readonly startChildren: StartChildren;
  /** Why it is spawned although it was asked to be forked. */
  readonly notForked?: string | undefined;
  /** URLs of the modules that it loads first: they may be read before it starts, for all of its key. */
  readonly modules: readonly string[];
  /** Whether they may also be run before it starts, and shared by all of its key. */
  readonly preload: boolean;
  /** Whether anybody reads its stdout; stderr is always read, for its last lines explain a death. */
  readonly readsStdout: boolean;
  /** How it is kept apart; left out: a process like any other. */
  readonly isolation?: Isolation | undefined;
  /** An empty folder of its own; left out: it has none. It goes there by itself, when it is told in its setup. */
  readonly workDir?: string | undefined;
  /** The user that it is; left out: who we are. It gains no rights then, whatever it starts. */
  readonly uid?: number;
  /** Told before it is started, where it is another user. */
  readonly onUser?: (uid: number) => void;
}

/** Called once. */
export type OnExit = (exit: ChildExit, startError?: Error) => void;

/** How many children were started in which way. */
export interface StartCounts {
  readonly spawned: number;
  readonly forked: number;
  /** Why one that was to be forked was not, as a part of a sentence; absent where there was none. */
  readonly notForked?: string;
}

/** A child as the operating system sees it. */
export interface LaunchedChild {
  /**
   * Undefined until it is known, which may be after its first words, and for ever where it could not be started; `onExit`
   * is told as well.
   */
  readonly pid: number | undefined;
  /** The private descriptor; undefined where the child could not be started. */
  readonly channel: Duplex | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  /** Kill it and everything that it started. May be called at any time, any number of times. */
  kill(): void;
  /** Whether it keeps this process alive. At first it does. */
  keepAlive(isKept: boolean): void;
}

/**
 * A way to start children, in `launchers/`. Nothing else in the pool knows which is used.
 * `onExit` is called once, never before `launch` has returned, with the reason where the child could not be started.
 */
export interface Launcher {
  launch(request: LaunchRequest, onExit: OnExit): LaunchedChild;
  /** Where there is a choice, what came of it: of the children of a key, or of all. */
  counts?(key?: string): StartCounts;
  /** No child of this key is left: it is no longer counted by itself. */
  forget?(key: string): void;
  /**
   * Every child was killed, and no further one will be launched: whoever started them on behalf of the pool goes too, and
   * need not be asked how they ended.
   */
  endAll?(): void;
  /** Every child is gone, and no further one will be launched: what was kept in order to start children ends. */
  close?(): Promise<void>;
}
