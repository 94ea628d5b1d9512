/** The child processes of a pool, by their numbers, and what holds for all of them. */

import type { IndexRange } from '../core/chunk.ts';
import type { ChildId } from '../core/pool-event.ts';
import type { Launcher } from '../launchers/launcher.ts';
import { type ChildListener, ChildProcess } from './child-process.ts';
import type { Block, ChildSetup, ChunkRequest } from './chunk-request.ts';

export class ChildCrew {
  readonly #launcher: Launcher;
  readonly #listener: ChildListener;
  readonly #children = new Map<ChildId, ChildProcess>();
  /** Numbers of blocks, for as long as somebody else holds the block. */
  readonly #blockIds = new WeakMap<Block, number>();
  #nextBlockId = 1;
  #isPaused = false;
  #isKeptAlive = true;

  constructor(launcher: Launcher, listener: ChildListener) {
    this.#launcher = launcher;
    this.#listener = listener;
  }

  get(id: ChildId): ChildProcess | undefined {
    return this.#children.get(id);
  }

  /** The key that each child serves, by the child's pid. */
  keys(): Map<number, string> {
    const keys = new Map<number, string>();
    for (const { pid, key } of this.#children.values()) if (pid !== undefined) keys.set(pid, key);
    return keys;
  }

  /** The keys of all children, those included that have no pid yet. */
  usedKeys(): Set<string> {
    return new Set([...this.#children.values()].map(({ key }) => key));
  }

  /** Start a child; the function of `request`, if there is work already, is loaded first of all. */
  spawn(id: ChildId, setup: ChildSetup, request: ChunkRequest | undefined): void {
    // To start one takes a millisecond or more: nobody who has his orders waits for that.
    for (const other of this.#children.values()) other.orders.flush();
    const child = new ChildProcess(id, setup, request?.task, this.#launcher, this.#listener);
    this.#children.set(id, child);
    if (request !== undefined) child.orders.announce(request);
    child.pause(this.#isPaused);
    if (!this.#isKeptAlive) child.keepAlive(false);
  }

  /** Give a child consecutive items of a chunk. */
  run(id: ChildId, request: ChunkRequest, range: IndexRange, marksStarts: boolean): void {
    this.#children.get(id)?.run(request, range, marksStarts, (block) => this.#idOf(block));
  }

  /** Nobody will ask for it any more. */
  forget(id: ChildId): void {
    this.#children.delete(id);
  }

  /** Read nothing more from them, or go on reading. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
    for (const child of this.#children.values()) child.pause(isPaused);
  }

  /** Idle children keep nobody alive: nothing that they do could be waited for. */
  keepAlive(isKept: boolean): void {
    if (this.#isKeptAlive === isKept) return;
    this.#isKeptAlive = isKept;
    for (const child of this.#children.values()) child.keepAlive(isKept);
  }

  /** Nobody can refer to a constant any more. */
  forgetBroadcast(sha256: string): void {
    for (const child of this.#children.values()) child.orders.forgetBroadcast(sha256);
  }

  #idOf(block: Block): number {
    const known = this.#blockIds.get(block);
    if (known !== undefined) return known;
    const id = this.#nextBlockId++;
    this.#blockIds.set(block, id);
    return id;
  }
}
