/**
 * Who runs what next. Called after each event; idempotent.
 *
 * Invariants: at most `processes` members (children that run tasks, or start in order to); a spare per member that is
 * about to leave; chunks are given out in the order in which they were handed in, a half-run one before all others.
 */

import type { ChildRecord } from './child-record.ts';
import type { IndexRange } from './chunk.ts';
import type { ChunkRecord, Part } from './chunk-record.ts';
import type { ChildId } from './pool-event.ts';
import type { TaskRecords } from './task-record.ts';

/** What a decision leads to. */
export interface PlacementEffects {
  spawn(key: string, chunk: ChunkRecord, isSpare: boolean): void;
  give(child: ChildRecord, chunk: ChunkRecord, range: IndexRange, atMs: number): void;
  recall(part: Part): void;
  retire(child: ChildRecord, atMs: number): void;
}

/** A busy child is given its next chunk ahead where both together take less than this: nobody waits long for it. */
const aheadMsMax = 20;
/** Chunks behind this many that cannot run are not looked at. */
const lookAheadMax = 64;

export class Placement {
  processes: number;
  readonly #children: ReadonlyMap<ChildId, ChildRecord>;
  readonly #tasks: TaskRecords;
  readonly #effects: PlacementEffects;
  readonly #queue: ChunkRecord[] = [];
  readonly #noSparesUntil = new Map<string, number>();
  /** What was handed in is all that will come: successors only for what is still to be given out. */
  isClosing = false;

  constructor(
    processes: number,
    children: ReadonlyMap<ChildId, ChildRecord>,
    tasks: TaskRecords,
    effects: PlacementEffects,
  ) {
    this.processes = processes;
    this.#children = children;
    this.#tasks = tasks;
    this.#effects = effects;
  }

  enqueue(chunk: ChunkRecord): void {
    chunk.isQueued = true;
    this.#queue.push(chunk);
  }

  /** A chunk that was begun goes on before others begin. */
  putBack(chunk: ChunkRecord): void {
    chunk.isQueued = true;
    this.#queue.unshift(chunk);
  }

  remove(chunk: ChunkRecord): void {
    if (!chunk.isQueued) return;
    chunk.isQueued = false;
    this.#queue.splice(this.#queue.indexOf(chunk), 1);
  }

  /** No successors for children of this key until then: the last one failed. */
  holdSpares(key: string, untilMs: number): void {
    this.#noSparesUntil.set(key, untilMs);
  }

  place(atMs: number): void {
    this.#promoteSpares();
    this.#retireSurplus(atMs);
    this.#giveOut(atMs);
    this.#recallForIdle();
    this.#spawnSpares(atMs);
  }

  #members(): number {
    let members = 0;
    for (const child of this.#children.values()) if (child.isMember) members += 1;
    return members;
  }

  /** The successor takes the place of whoever has left; the one that is ready first. */
  #promoteSpares(): void {
    let free = this.processes - this.#members();
    for (const state of ['ready', 'starting'] as const) {
      for (const child of this.#children.values()) {
        if (free <= 0) return;
        if (!child.isSpare || child.state !== state) continue;
        child.isSpare = false;
        free -= 1;
      }
    }
  }

  /** After a resize. Busy ones leave when they are done. */
  #retireSurplus(atMs: number): void {
    let surplus = this.#members() - this.processes;
    for (const child of this.#children.values()) {
      if (surplus <= 0) return;
      if (!child.isIdle) continue;
      this.#effects.retire(child, atMs);
      surplus -= 1;
    }
  }

  #giveOut(atMs: number): void {
    if (this.#queue.length === 0) return;
    const starting = this.#startingByKey();
    let skipped = 0;
    let at = 0;
    while (at < this.#queue.length && skipped < lookAheadMax) {
      const chunk = this.#queue[at] as ChunkRecord;
      const child = this.#childFor(chunk);
      const range = child === undefined ? undefined : chunk.todo.takeFirst(child.roomFor(chunk.taskLimit));
      if (child !== undefined && range !== undefined) {
        this.remove(chunk);
        this.#effects.give(child, chunk, range, atMs);
        if (child.load > range.count) this.#grow(chunk, starting, atMs);
        continue;
      }
      this.#grow(chunk, starting, atMs);
      skipped += 1;
      at += 1;
    }
  }

  #startingByKey(): Map<string, number> {
    const starting = new Map<string, number>();
    for (const child of this.#children.values()) {
      if (child.isMember && child.state === 'starting') {
        starting.set(child.key, (starting.get(child.key) ?? 0) + 1);
      }
    }
    return starting;
  }

  /** Make sure that a child comes for a chunk that has none, if there is room or somebody idle to make room. */
  #grow(chunk: ChunkRecord, starting: Map<string, number>, atMs: number): void {
    const { key } = chunk.spec;
    const coming = starting.get(key) ?? 0;
    if (coming > 0) {
      starting.set(key, coming - 1);
      return;
    }
    if (this.#members() >= this.processes && !this.#makeRoom(atMs)) return;
    this.#promoteSpares();
    if (this.#members() < this.processes) this.#effects.spawn(key, chunk, false);
  }

  /** Slots are shared, children are not: an idle one of another key leaves, for no idle one could take this chunk. */
  #makeRoom(atMs: number): boolean {
    for (const child of this.#children.values()) {
      if (!child.isIdle) continue;
      this.#effects.retire(child, atMs);
      return true;
    }
    return false;
  }

  /** Measured as short and yet waiting while somebody has nothing to do: the item before it takes longer than usual. */
  #recallForIdle(): void {
    if (this.#queue.length > 0) return;
    for (const idle of this.#children.values()) {
      if (!idle.isIdle || idle.killAtMs !== undefined) continue;
      for (const child of this.#children.values()) {
        const ahead = child.key === idle.key && child.state === 'ready' ? child.parts[1] : undefined;
        if (ahead === undefined || ahead.hasBegun || ahead.isRecalled) continue;
        if (idle.roomFor(ahead.chunk.taskLimit) > 0) this.#effects.recall(ahead);
        return;
      }
    }
  }

  #childFor(chunk: ChunkRecord): ChildRecord | undefined {
    let best: ChildRecord | undefined;
    for (const child of this.#children.values()) {
      const isUsable = child.state === 'ready' && !child.isSpare && child.killAtMs === undefined;
      const fits = isUsable && child.key === chunk.spec.key;
      if (!fits || child.roomFor(chunk.taskLimit) === 0 || !this.#mayTake(child, chunk)) continue;
      if (best === undefined || this.#isBetter(child, best, chunk)) best = child;
    }
    return best;
  }

  #mayTake(child: ChildRecord, chunk: ChunkRecord): boolean {
    const running = child.parts[0];
    if (running === undefined) return true;
    const { concurrentTasks } = chunk.spec;
    if (concurrentTasks > 1) {
      return (
        child.load < concurrentTasks &&
        child.parts.every((part) => part.chunk.spec.concurrentTasks === concurrentTasks)
      );
    }
    return child.parts.length === 1 && this.#isShort(child, chunk);
  }

  /**
   * Giving a busy child its next chunk saves the way to and fro between two. But a synchronous function cannot be
   * asked to give it back, hence only what is short by measurement; a suspect is never mixed with others.
   */
  #isShort(child: ChildRecord, chunk: ChunkRecord): boolean {
    const running = child.parts[0]?.chunk.spec;
    if (
      running === undefined ||
      running.marksStarts ||
      chunk.spec.marksStarts ||
      running.concurrentTasks > 1
    ) {
      return false;
    }
    // Somebody is coming, or could come, who would run it at once.
    if (this.#members() < this.processes || this.#startingByKey().has(child.key)) return false;
    const runningMs = this.#tasks.of(running.task).itemMs;
    const nextMs = this.#tasks.of(chunk.spec.task).itemMs;
    if (runningMs === undefined || nextMs === undefined) return false;
    return child.load * runningMs + chunk.todo.size * nextMs <= aheadMsMax;
  }

  /** Idle before busy, then whoever knows the function, then whoever has less to do. */
  #isBetter(a: ChildRecord, b: ChildRecord, chunk: ChunkRecord): boolean {
    const [loadA, loadB] = [a.load, b.load];
    if (loadA !== loadB) return loadA < loadB;
    const { task } = chunk.spec;
    return a.lastTask === task && b.lastTask !== task;
  }

  /** Recycling must not wait for a process start: whoever has got its last items has a successor from that moment. */
  #spawnSpares(atMs: number): void {
    for (const [key, untilMs] of this.#noSparesUntil) if (untilMs <= atMs) this.#noSparesUntil.delete(key);
    const missing = new Map<string, number>();
    const examples = new Map<string, ChunkRecord>();
    for (const child of this.#children.values()) {
      const isComing = child.isSpare && (child.state === 'starting' || child.state === 'ready');
      if (isComing) missing.set(child.key, (missing.get(child.key) ?? 0) - 1);
      const last = child.parts.at(-1);
      if (child.isMember && child.isEnding && last !== undefined && this.#hasSuccession(last.chunk)) {
        missing.set(child.key, (missing.get(child.key) ?? 0) + 1);
        examples.set(child.key, last.chunk);
      }
    }
    let room = 2 * this.processes - this.#inUse();
    for (const [key, chunk] of examples) {
      for (let n = missing.get(key) ?? 0; n > 0 && room > 0; n--, room--)
        this.#effects.spawn(key, chunk, true);
    }
    for (const child of this.#children.values()) {
      // Its predecessor stays after all: an abort has given it items back.
      const surplus = missing.get(child.key) ?? 0;
      if (!child.isSpare || child.state !== 'ready' || surplus >= 0) continue;
      this.#effects.retire(child, atMs);
      missing.set(child.key, surplus + 1);
    }
  }

  /** Children that stay: members and spares. */
  #inUse(): number {
    let count = 0;
    for (const child of this.#children.values()) {
      if (child.isMember || (child.isSpare && (child.state === 'starting' || child.state === 'ready')))
        count += 1;
    }
    return count;
  }

  #hasSuccession(chunk: ChunkRecord): boolean {
    if (chunk.abortGraceMs !== undefined || this.#noSparesUntil.has(chunk.spec.key)) return false;
    return !this.isClosing || chunk.todo.size > 0 || this.#queue.length > 0;
  }
}
