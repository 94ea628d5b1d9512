/** A child that a fork server makes, or that is spawned after all, on descriptors that were there before it. */
import { Socket } from 'node:net';
import type { ChildExit } from '../core/chunk.ts';
import type { ForkAddon } from './fork-addon.ts';
import type { LaunchedChild, LaunchRequest, OnExit } from './launcher.ts';
import { notStarted } from './not-started.ts';
import { killGroup } from './process-start.ts';
import { reaper } from './reaper.ts';
import { spawnChild } from './spawn.ts';

/** Whoever makes a child, as far as it has to do with it later. */
export interface Maker {
  /** Whether the child keeps this process alive has changed. */
  keepAlive(): void;
  /** The child was killed: its end has to be told soon. */
  killed(pid: number): void;
}

export class ForkedChild implements LaunchedChild {
  readonly request: LaunchRequest;
  readonly #addon: ForkAddon;
  readonly channel: Socket;
  readonly stdout: Socket | undefined;
  readonly stderr: Socket;
  /** Its ends, in the order in which a server wants them: channel, stderr, and stdout if it is read. */
  readonly descriptors: readonly number[];
  readonly #onExit: OnExit;
  #maker: Maker | undefined;
  #pid: number | undefined;
  #spawned: LaunchedChild | undefined;
  #isKept = true;
  #isKilled = false;
  #hasExited = false;

  constructor(addon: ForkAddon, request: LaunchRequest, onExit: OnExit, maker: Maker) {
    this.request = request;
    this.#addon = addon;
    this.#onExit = onExit;
    this.#maker = maker;
    const ends: number[] = [];
    const own: Socket[] = [];
    const end = (writable: boolean): Socket => {
      const [fd, its] = addon.makePair();
      ends.push(its);
      // Once it has ended it is closed with the child, and need not be shut down before.
      const socket = new Socket({ fd, readable: true, writable, allowHalfOpen: writable });
      own.push(socket);
      return socket;
    };
    try {
      this.channel = end(true);
      this.stderr = end(false);
      this.stdout = request.readsStdout ? end(false) : undefined;
    } catch (error) {
      // There are no more descriptors: those that there were are given back.
      addon.closeEnds(ends);
      for (const socket of own) socket.destroy();
      throw error;
    }
    this.descriptors = ends;
  }

  get pid(): number | undefined {
    return this.#pid ?? this.#spawned?.pid;
  }

  get isKept(): boolean {
    return this.#isKept && !this.#hasExited;
  }

  kill(): void {
    if (this.#hasExited) return;
    if (this.#spawned !== undefined) this.#spawned.kill();
    else if (this.#pid === undefined) this.#isKilled = true;
    else this.#kill(this.#pid);
  }

  keepAlive(isKept: boolean): void {
    this.#isKept = isKept;
    for (const socket of [this.channel, this.stdout, this.stderr]) {
      if (isKept) socket?.ref();
      else socket?.unref();
    }
    if (this.#spawned !== undefined) this.#spawned.keepAlive(isKept);
    else this.#maker?.keepAlive();
  }

  /** It is there. */
  forked(pid: number): void {
    this.#pid = pid;
    // The server kills its group too, unless both are killed at once.
    reaper.watch(pid);
    this.#closeEnds();
    this.#maker?.keepAlive();
    if (this.#isKilled) this.#kill(pid);
  }

  /** It was forked and is gone; its server has killed what was left of its group. */
  exited(exit: ChildExit): void {
    if (this.#hasExited) return;
    this.#hasExited = true;
    if (this.#pid !== undefined) reaper.unwatch(this.#pid);
    this.#maker?.keepAlive();
    this.#onExit(exit);
  }

  /** Its server is dead, and it is dying of that, or will never be made. */
  lostServer(): void {
    if (this.#pid === undefined) this.#closeEnds();
    else this.#kill(this.#pid);
    this.exited({ pid: this.#pid, exitCode: undefined, signal: 'SIGKILL', withItsServer: true });
  }

  /** Another server will make it. */
  movesTo(maker: Maker): void {
    this.#maker = maker;
  }

  spawnInstead(): void {
    this.#maker = undefined;
    const [channel, stderr, stdout = 'ignore' as const] = this.descriptors;
    const exited: OnExit = (exit, error) => {
      this.#hasExited = true;
      this.#onExit(exit, error);
    };
    try {
      this.#spawned = spawnChild(this.request, ['ignore', stdout, stderr, channel], exited);
    } catch (error) {
      // Nobody stands by who could catch it.
      this.#spawned = notStarted(error as Error, exited);
    }
    this.#closeEnds();
    if (!this.#isKept) this.#spawned.keepAlive(false);
    if (this.#isKilled) this.#spawned.kill();
  }

  /** A moment after it was made it leads no group yet. */
  #kill(pid: number): void {
    this.#maker?.killed(pid);
    killGroup(pid, () => {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone by itself.
      }
    });
  }

  /** As long as one of them is open here too, nobody hears that the child has ended. */
  #closeEnds(): void {
    this.#addon.closeEnds(this.descriptors);
  }
}
