/** A child that a fork server makes, or that is spawned after all, on descriptors that were there before it. */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { ChildExit } from '../core/chunk.ts';
import type { LaunchedChild, LaunchRequest, OnExit } from '../launcher.ts';
import type { ForkAddon } from './fork-addon.ts';
import { killGroup } from './process-start.ts';
import { spawnChild } from './spawn.ts';

export class ForkedChild implements LaunchedChild {
  readonly request: LaunchRequest;
  readonly channel: Socket;
  readonly stdout: Socket | undefined;
  readonly stderr: Socket;
  /** Its ends, in the order in which a server wants them: channel, stderr, and stdout if it is read. */
  readonly descriptors: readonly number[];
  readonly #onExit: OnExit;
  #onKeep: () => void;
  #pid: number | undefined;
  #spawned: LaunchedChild | undefined;
  #isKept = true;
  #isKilled = false;
  #hasExited = false;

  constructor(addon: ForkAddon, request: LaunchRequest, onExit: OnExit, onKeep: () => void) {
    this.request = request;
    this.#onExit = onExit;
    this.#onKeep = onKeep;
    const ends: number[] = [];
    const end = (writable: boolean): Socket => {
      const [own, its] = addon.makePair();
      ends.push(its);
      return new Socket({ fd: own, readable: true, writable });
    };
    this.channel = end(true);
    this.stderr = end(false);
    this.stdout = request.readsStdout ? end(false) : undefined;
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
    else this.#onKeep();
  }

  /** It is there. */
  forked(pid: number): void {
    this.#pid = pid;
    this.#closeEnds();
    this.#onKeep();
    if (this.#isKilled) this.#kill(pid);
  }

  /** It was forked and is gone; its server has killed what was left of its group. */
  exited(exit: ChildExit): void {
    if (this.#hasExited) return;
    this.#hasExited = true;
    this.#onKeep();
    this.#onExit(exit);
  }

  /** Its server is dead, and it is dying of that. */
  lostServer(): void {
    if (this.#pid !== undefined) this.#kill(this.#pid);
    this.exited({ pid: this.#pid, exitCode: undefined, signal: 'SIGKILL', withItsServer: true });
  }

  /** Another server will make it. */
  movesTo(onKeep: () => void): void {
    this.#onKeep = onKeep;
  }

  spawnInstead(): void {
    this.#onKeep = () => {};
    const [channel, stderr, stdout = 'ignore' as const] = this.descriptors;
    this.#spawned = spawnChild(this.request, ['ignore', stdout, stderr, channel], (exit, error) => {
      this.#hasExited = true;
      this.#onExit(exit, error);
    });
    this.#closeEnds();
    if (!this.#isKept) this.#spawned.keepAlive(false);
    if (this.#isKilled) this.#spawned.kill();
  }

  /** A moment after it was made it leads no group yet. */
  #kill(pid: number): void {
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
    for (const end of this.descriptors) closeSync(end);
  }
}
