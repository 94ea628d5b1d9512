/**
 * Who runs what next. Called after each event; idempotent.
 *
 * Invariants: at most `processes` members (children that run tasks, or start in order to); a spare per member that is
 * about to leave; of a group no more children are busy than its share allows; chunks are given out in the order in which
 * they were handed in, a half-run one before all others.
 */
import type { ChildEndings } from './child-endings.ts';
import type { ChildRecord } from './child-record.ts';
import type { IndexRange } from './chunk.ts';
import { type ChunkRecord, Part } from './chunk-record.ts';
import type { PoolState } from './pool-state.ts';
import { Spares } from './spares.ts';

/** A busy child is given chunks ahead where all together take less than this: nobody waits long for one of them. */
const aheadMsMax = 20;
/** And so many in all, at most: each saves the way to and fro, and waits with the others behind an item that takes long. */
const partsMax = 4;
/** So many where all together take less than `tinyMs`. */
const tinyPartsMax = 16;
const tinyMs = 1;
/**
 * A chunk that has waited so long is not overtaken any more by what busy children of another key would be given ahead: one that always
 * has its next chunk in hand never makes room. Several times what a process takes to start, for that is what changing keys costs.
 */
const overtakenMsMax = 200;
/** Chunks behind this many that cannot run are not looked at. */
const lookAheadMax = 64;

export class Placement {
  readonly #state: PoolState;
  readonly #endings: ChildEndings;
  readonly #spares: Spares;

  constructor(state: PoolState, endings: ChildEndings) {
    this.#state = state;
    this.#endings = endings;
    this.#spares = new Spares(state, endings);
  }

  place(atMs: number): void {
    this.#spares.promote();
    this.#retireSurplus(atMs);
    this.#giveOut(atMs);
    this.#recallForIdle();
    this.#spares.match(atMs);
  }

  /** After a resize. Busy ones leave when they are done. */
  #retireSurplus(atMs: number): void {
    let surplus = this.#state.members - this.#state.processes;
    for (const child of this.#state.children.values()) {
      if (surplus <= 0) return;
      if (!child.isIdle) continue;
      this.#endings.retire(child, atMs);
      surplus -= 1;
    }
  }

  #giveOut(atMs: number): void {
    const { queue } = this.#state;
    if (queue.size === 0) return;
    /** Made when it is asked for: as a rule somebody is there. */
    let starting: Map<string, number> | undefined;
    /** Keys of which a chunk waits for a child to be done: no later one, however short, goes before it. */
    const waiting = new Set<string>();
    let isOneDue = false;
    let skipped = 0;
    let at = 0;
    while (at < queue.size && skipped < lookAheadMax) {
      const chunk = queue.at(at) as ChunkRecord;
      const { key } = chunk.spec;
      if (waiting.has(key) && this.#isAtCap(chunk)) {
        at += 1;
        continue;
      }
      if (chunk.isServerSuspect && this.#suspectRuns(key)) {
        skipped += 1;
        at += 1;
        continue;
      }
      const child = this.#childFor(chunk, !isOneDue && !waiting.has(key));
      const range = child === undefined ? undefined : chunk.todo.takeFirst(child.roomFor(chunk.taskLimit));
      if (child !== undefined && range !== undefined) {
        queue.remove(chunk);
        this.#give(child, chunk, range, atMs);
        if (child.load > range.count) {
          starting ??= this.#startingByKey();
          this.#grow(chunk, starting, atMs);
        }
        continue;
      }
      starting ??= this.#startingByKey();
      const mayCome = this.#grow(chunk, starting, atMs);
      waiting.add(key);
      // At the cap of its own pool it waits for nobody else.
      chunk.waitsSinceMs = this.#isAtCap(chunk) ? undefined : (chunk.waitsSinceMs ?? atMs);
      isOneDue ||= chunk.waitsSinceMs !== undefined && atMs - chunk.waitsSinceMs >= overtakenMsMax;
      // Nobody is idle and nobody can come: whatever is behind it waits for the same children.
      if (!mayCome && queue.isOfOneKey) return;
      skipped += 1;
      at += 1;
    }
  }

  /**
   * Of those who may have ended a server one runs at a time: otherwise an innocent one, which always runs beside the one that ends
   * servers, would be blamed with it.
   */
  #suspectRuns(key: string): boolean {
    for (const child of this.#state.children.values()) {
      if (child.key === key && child.parts.some(({ chunk }) => chunk.isServerSuspect)) return true;
    }
    return false;
  }

  #give(child: ChildRecord, chunk: ChunkRecord, range: IndexRange, atMs: number): void {
    const part = new Part(chunk, child, range.first, range.count, atMs);
    chunk.part = part;
    chunk.waitsSinceMs = undefined;
    child.parts.push(part);
    child.tasksGiven += range.count;
    child.taskLimit = Math.min(child.taskLimit, chunk.taskLimit);
    child.lastTask = chunk.spec.task;
    this.#state.command({ type: 'runPart', child: child.id, chunk: chunk.spec.chunk, ...range });
  }

  #startingByKey(): Map<string, number> {
    const starting = new Map<string, number>();
    for (const child of this.#state.children.values()) {
      if (child.isMember && child.state === 'starting') {
        starting.set(child.key, (starting.get(child.key) ?? 0) + 1);
      }
    }
    return starting;
  }

  /**
   * Make sure that a child comes for a chunk that has none, if there is room or somebody idle to make room. False where nobody is
   * idle and there is no room.
   */
  #grow(chunk: ChunkRecord, starting: Map<string, number>, atMs: number): boolean {
    const { key } = chunk.spec;
    if (this.#isAtCap(chunk, true)) return true;
    const coming = starting.get(key) ?? 0;
    if (coming > 0) {
      starting.set(key, coming - 1);
      return true;
    }
    if (this.#state.members >= this.#state.processes && !this.#makeRoom(atMs)) return false;
    // A successor of another key would only have to make room in turn, and be replaced, and so on.
    this.#spares.promote(key);
    if (this.#state.members < this.#state.processes) this.#state.spawn(key, chunk, false);
    return true;
  }

  /** Slots are shared, children are not: an idle one of another key leaves, for no idle one could take this chunk. */
  #makeRoom(atMs: number): boolean {
    const { children, queue } = this.#state;
    for (const child of children.values()) {
      if (!child.isIdle) continue;
      this.#endings.retire(child, atMs);
      return true;
    }
    // One whose work was taken back while it started may never get ready: its initializer can hang.
    for (const child of children.values()) {
      if (child.state !== 'starting' || !child.isMember || queue.wants(child.key)) continue;
      this.#endings.kill(child);
      return true;
    }
    return false;
  }

  /** Measured as short and yet waiting while somebody has nothing to do: the item before it takes longer than usual. */
  #recallForIdle(): void {
    if (this.#state.queue.size > 0) return;
    for (const idle of this.#state.children.values()) {
      if (!idle.isIdle || idle.killAtMs !== undefined) continue;
      for (const child of this.#state.children.values()) {
        const ahead = child.key === idle.key && child.state === 'ready' ? lastAhead(child) : undefined;
        if (ahead === undefined || idle.roomFor(ahead.chunk.taskLimit) === 0) continue;
        if (this.#isAtCap(ahead.chunk)) continue;
        this.#state.recallPart(ahead);
        return;
      }
    }
  }

  #childFor(chunk: ChunkRecord, mayBeBusy: boolean): ChildRecord | undefined {
    let best: ChildRecord | undefined;
    const mayBeIdle = !this.#isAtCap(chunk);
    for (const child of this.#state.children.values()) {
      if (child.parts.length > 0 ? !mayBeBusy : !mayBeIdle) continue;
      const isUsable = child.state === 'ready' && !child.isSpare && child.killAtMs === undefined;
      const fits = isUsable && child.key === chunk.spec.key;
      if (!fits || child.roomFor(chunk.taskLimit) === 0 || !this.#mayTake(child, chunk)) continue;
      if (best === undefined || isBetter(child, best, chunk)) best = child;
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
    return child.parts.length < tinyPartsMax && this.#isShort(child, chunk);
  }

  /**
   * Giving a busy child its next chunks saves the way to and fro between two. But a synchronous function cannot be
   * asked to give them back, hence only what is short by measurement, and behind its own job: of an item that takes
   * unlike all before it, others need not suffer. A suspect is never mixed with others.
   */
  #isShort(child: ChildRecord, chunk: ChunkRecord): boolean {
    const running = child.parts[0]?.chunk.spec;
    if (
      running === undefined ||
      running.task !== chunk.spec.task ||
      running.marksStarts ||
      chunk.spec.marksStarts ||
      running.concurrentTasks > 1
    ) {
      return false;
    }
    // Somebody is coming, or could come, who would run it at once.
    const mayCome = this.#state.members < this.#state.processes || this.#isComing(child.key);
    if (mayCome && !this.#isAtCap(chunk)) return false;
    // All that it has is of this function: nothing is given behind another one.
    const ms = this.#state.tasks.of(chunk.spec.task).estimateMs(chunk.todo.size + child.load);
    return ms <= (child.parts.length < partsMax ? aheadMsMax : tinyMs);
  }

  /** Whether its group has as many busy children as it may have, or will when `withComing` have begun. */
  #isAtCap({ spec: { group, key } }: ChunkRecord, withComing: boolean = false): boolean {
    if (group === undefined) return false;
    const most = this.#state.groupCaps.of(group.id);
    if (most === Number.POSITIVE_INFINITY) return false;
    let busy = 0;
    for (const child of this.#state.children.values()) {
      if (child.parts[0] === undefined) {
        if (withComing && child.key === key && child.isMember && child.state === 'starting') busy += 1;
      } else if (child.parts[0].chunk.spec.group?.id === group.id) busy += 1;
    }
    return busy >= most;
  }

  #isComing(key: string): boolean {
    for (const child of this.#state.children.values()) {
      if (child.isMember && child.state === 'starting' && child.key === key) return true;
    }
    return false;
  }
}

/** The last part that was given to a child ahead, unless it has begun or is on its way back. */
function lastAhead(child: ChildRecord): Part | undefined {
  const last = child.parts.length > 1 ? child.parts.at(-1) : undefined;
  return last === undefined || last.hasBegun || last.isRecalled ? undefined : last;
}

/** Idle before busy, then whoever has less to do, then whoever knows the function. */
function isBetter(a: ChildRecord, b: ChildRecord, chunk: ChunkRecord): boolean {
  const [loadA, loadB] = [a.load, b.load];
  if (loadA !== loadB) return loadA < loadB;
  const { task } = chunk.spec;
  return a.lastTask === task && b.lastTask !== task;
}
