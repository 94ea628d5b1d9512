/**
 * Decides which child runs which items, when children come and go, and how each chunk ends. Events in, commands out;
 * no bytes, no clock, no promises. It retries nothing and blames nobody: it reports who was running when a child died.
 *
 *   chunkQueued -> queue -> placement -> part on a child -> partEnded -> next part on a successor | endChunk
 *                                              |
 *                                          childExited -> endChunk(childDied | timedOut | aborted), or back to the queue
 */

import { ChildRecord } from './child-record.ts';
import type { ChildExit, ChunkEnding, ChunkId, IndexRange } from './chunk.ts';
import { ChunkRecord, Part } from './chunk-record.ts';
import { Placement } from './placement.ts';
import type { EndChunk, PoolCommand } from './pool-command.ts';
import type { AbortRequested, ChildId, ItemsSucceeded, PartEnded, PoolEvent } from './pool-event.ts';
import { rest, suspectsOf } from './suspects.ts';
import { TaskRecords } from './task-record.ts';

/** The machine's own limits. */
export interface PoolMachineLimits {
  /** A child whose channel ended may take this long to exit before it is killed. */
  readonly lostChannelMs: number;
  /** A child that was asked to leave may take this long. */
  readonly retireMs: number;
  /** From the AbortSignal of an item that ran too long to the kill of its child. */
  readonly timeoutGraceMs: number;
  /** More deaths outside items than this, within `outsideDeathsWithinMs` and without progress: the function is given up. */
  readonly outsideDeathsMax: number;
  readonly outsideDeathsWithinMs: number;
  /** Children of a key that fail to start, or in their initializer, in a row: what waits for the key ends. */
  readonly startFailuresMax: number;
}

const defaultLimits: PoolMachineLimits = {
  lostChannelMs: 100,
  retireMs: 1_000,
  timeoutGraceMs: 100,
  outsideDeathsMax: 5,
  outsideDeathsWithinMs: 10_000,
  startFailuresMax: 3,
};

/** One child in a {@link PoolSnapshot}. */
export interface ChildSnapshot {
  readonly child: ChildId;
  readonly state: 'starting' | 'idle' | 'busy' | 'retiring';
  /** Calls of task functions that it started, as far as is known. */
  readonly tasksRun: number;
  readonly isSpare: boolean;
}

/** What the machine knows, for statistics and tests. */
export interface PoolSnapshot {
  readonly children: readonly ChildSnapshot[];
  readonly recycled: number;
  readonly deaths: number;
  readonly queuedItems: number;
  readonly runningItems: number;
  readonly chunks: number;
}

export class PoolMachine {
  readonly #limits: PoolMachineLimits;
  readonly #chunks = new Map<ChunkId, ChunkRecord>();
  readonly #children = new Map<ChildId, ChildRecord>();
  readonly #tasks = new TaskRecords();
  /** Start failures in a row, by key. */
  readonly #startFailures = new Map<string, number>();
  readonly #placement: Placement;
  #commands: PoolCommand[] = [];
  #nextChild = 1;
  #recycled = 0;
  #deaths = 0;
  #isClosing = false;

  constructor(processes: number, limits: Partial<PoolMachineLimits> = {}) {
    this.#limits = { ...defaultLimits, ...limits };
    this.#placement = new Placement(processes, this.#children, this.#tasks, {
      spawn: (key, chunk, isSpare) => this.#spawn(key, chunk, isSpare),
      give: (child, chunk, range, atMs) => this.#give(child, chunk, range, atMs),
      recall: (part) => this.#recall(part),
      retire: (child, atMs) => this.#retire(child, atMs),
    });
  }

  /** Take one event and say what is to be done. */
  step(event: PoolEvent): PoolCommand[] {
    this.#commands = [];
    this.#apply(event);
    // Values are by far the most frequent event, and they move nothing.
    if (event.type !== 'itemsSucceeded' && event.type !== 'itemStarted') this.#settle(event.atMs);
    return this.#commands;
  }

  /** When `clockTicked` has to come at the latest; undefined: no need for it. */
  nextDeadlineMs(): number | undefined {
    let next: number | undefined;
    for (const child of this.#children.values()) {
      const deadline = child.nextDeadlineMs();
      if (deadline !== undefined && (next === undefined || deadline < next)) next = deadline;
    }
    return next;
  }

  /** True once nothing is left: no chunk, no child. */
  get isEmpty(): boolean {
    return this.#children.size === 0 && this.#chunks.size === 0;
  }

  snapshot(): PoolSnapshot {
    let queuedItems = 0;
    let runningItems = 0;
    for (const chunk of this.#chunks.values()) {
      queuedItems += chunk.todo.size;
      runningItems += chunk.part?.open.size ?? 0;
    }
    return {
      children: [...this.#children.values()].map(snapshotOf),
      recycled: this.#recycled,
      deaths: this.#deaths,
      queuedItems,
      runningItems,
      chunks: this.#chunks.size,
    };
  }

  #apply(event: PoolEvent): void {
    switch (event.type) {
      case 'chunkQueued':
        this.#queue(new ChunkRecord(event));
        return;
      case 'abortRequested':
        this.#abort(event);
        return;
      case 'resized':
        this.#placement.processes = event.processes;
        return;
      case 'closeRequested':
        this.#isClosing = true;
        this.#placement.isClosing = true;
        return;
      case 'terminateRequested':
        this.#terminate();
        return;
      case 'clockTicked':
        this.#tick(event.atMs);
        return;
      default: {
        const child = this.#children.get(event.child);
        // News of a child that is gone: its exit came first.
        if (child !== undefined) this.#applyToChild(child, event);
      }
    }
  }

  #applyToChild(child: ChildRecord, event: Extract<PoolEvent, { readonly child: ChildId }>): void {
    switch (event.type) {
      case 'childStarted':
        child.hasStarted = true;
        return;
      case 'childReady':
        this.#childReady(child, event.atMs);
        return;
      case 'initializerThrew':
        this.#kill(child, true);
        return;
      case 'channelLost':
        // Its exit is on the way as a rule. Task code that closes descriptors leaves a child that nobody can reach.
        if (child.state !== 'dying')
          child.killAtMs = earlier(child.killAtMs, event.atMs + this.#limits.lostChannelMs);
        return;
      case 'channelBroken':
        this.#break(child);
        return;
      case 'childExiting':
        child.exiting = event.running;
        return;
      case 'childExited':
        this.#childExited(child, event.exit, event.atMs);
        return;
      default: {
        const part = child.partOf(event.chunk);
        if (part === undefined) {
          this.#break(child);
          return;
        }
        part.lastNewsMs = event.atMs;
        this.#applyToPart(part, event);
      }
    }
  }

  #applyToPart(
    part: Part,
    event: Extract<PoolEvent, { readonly child: ChildId; readonly chunk: ChunkId }>,
  ): void {
    switch (event.type) {
      case 'partBegan':
        part.hasBegun = true;
        if (part.chunk.abortGraceMs !== undefined) this.#limitAbort(part, event.atMs);
        return;
      case 'itemStarted':
        if (!part.open.has(event.index)) {
          this.#break(part.child);
          return;
        }
        part.started.set(event.index, event.atMs);
        return;
      case 'itemsSucceeded':
        this.#itemsSucceeded(part, event);
        return;
      case 'itemFailed':
        if (!this.#report(part, { first: event.index, count: 1 })) return;
        if (this.#wants(part, event.index)) {
          this.#commands.push({ type: 'acceptFailure', chunk: part.chunk.spec.chunk });
        }
        return;
      case 'taskUnloadable':
        part.child.dropPart(part);
        part.child.tasksGiven -= part.count;
        part.chunk.part = undefined;
        this.#end(
          part.chunk,
          part.chunk.abortGraceMs === undefined ? { kind: 'taskFailed' } : { kind: 'aborted' },
          { child: part.child, why: 'unloadable' },
        );
        return;
      case 'partEnded':
        this.#partEnded(part, event);
        return;
    }
  }

  #queue(chunk: ChunkRecord): void {
    this.#chunks.set(chunk.spec.chunk, chunk);
    this.#placement.enqueue(chunk);
  }

  #spawn(key: string, chunk: ChunkRecord, isSpare: boolean): void {
    const child = new ChildRecord(this.#nextChild++, key, isSpare, chunk.spec.maxAgeMs);
    child.lastTask = chunk.spec.task;
    this.#children.set(child.id, child);
    this.#commands.push({ type: 'spawnChild', child: child.id, key, chunk: chunk.spec.chunk });
  }

  #childReady(child: ChildRecord, atMs: number): void {
    if (child.state !== 'starting') return;
    child.state = 'ready';
    child.readyAtMs = atMs;
    this.#startFailures.delete(child.key);
  }

  // -- parts -----------------------------------------------------------------------------------------------------

  #give(child: ChildRecord, chunk: ChunkRecord, range: IndexRange, atMs: number): void {
    const part = new Part(chunk, child, range.first, range.count, atMs);
    chunk.part = part;
    child.parts.push(part);
    child.tasksGiven += range.count;
    child.taskLimit = Math.min(child.taskLimit, chunk.taskLimit);
    child.lastTask = chunk.spec.task;
    this.#commands.push({ type: 'runPart', child: child.id, chunk: chunk.spec.chunk, ...range });
  }

  #recall(part: Part): void {
    part.isRecalled = true;
    this.#commands.push({
      type: 'abortPart',
      child: part.child.id,
      chunk: part.chunk.spec.chunk,
      reason: 'recalled',
    });
  }

  #itemsSucceeded(part: Part, event: ItemsSucceeded): void {
    if (!this.#report(part, event)) return;
    this.#tasks.of(part.chunk.spec.task).measured(event.count, event.runMs);
    if (this.#wants(part, event.first)) {
      this.#commands.push({ type: 'acceptValues', chunk: part.chunk.spec.chunk });
    }
  }

  /** Note that items were reported. What was never asked for, or was reported before, is forged. */
  #report(part: Part, { first, count }: IndexRange): boolean {
    let isTrue = part.open.remove({ first, count });
    if (part.chunk.spec.marksStarts) {
      for (let index = first; isTrue && index < first + count; index++) isTrue = part.started.delete(index);
    }
    if (!isTrue) this.#break(part.child);
    return isTrue;
  }

  /** An aborted chunk has been promised silence; an item that ran too long stays one, though it came after all. */
  #wants(part: Part, index: number): boolean {
    return part.chunk.abortGraceMs === undefined && part.timedOut?.index !== index;
  }

  #partEnded(part: Part, { next, isSpent }: PartEnded): void {
    const { chunk, child } = part;
    if (part.timedOut !== undefined) {
      this.#kill(child);
      return;
    }
    const unstarted = { first: next, count: part.end - next };
    const isTrue =
      next >= part.first &&
      next <= part.end &&
      part.started.size === 0 &&
      (unstarted.count === 0 || part.open.remove(unstarted)) &&
      part.open.size === 0;
    if (!isTrue) {
      this.#break(child);
      return;
    }
    child.dropPart(part);
    child.tasksGiven -= unstarted.count;
    child.isStopping ||= isSpent;
    chunk.part = undefined;
    chunk.todo.add(unstarted);
    // A grace time that ran for this part must not hit the parts after it.
    if (chunk.abortGraceMs !== undefined && child.state === 'ready') child.killAtMs = undefined;
    this.#continue(chunk);
  }

  /** After a part: the chunk is over, or goes on with whoever is free. */
  #continue(chunk: ChunkRecord): void {
    if (chunk.abortGraceMs !== undefined) {
      this.#end(chunk, { kind: 'aborted' });
      return;
    }
    if (chunk.todo.size === 0) {
      this.#end(chunk, { kind: 'finished' });
      return;
    }
    this.#placement.putBack(chunk);
  }

  #end(
    chunk: ChunkRecord,
    ending: ChunkEnding,
    reason: { readonly child?: ChildRecord; readonly why?: NonNullable<EndChunk['why']> } = {},
  ): void {
    this.#chunks.delete(chunk.spec.chunk);
    this.#placement.remove(chunk);
    this.#commands.push({
      type: 'endChunk',
      chunk: chunk.spec.chunk,
      ending,
      child: reason.child?.id,
      ...(ending.kind === 'aborted' || reason.why === undefined ? {} : { why: reason.why }),
    });
  }

  // -- aborts and timeouts ---------------------------------------------------------------------------------------

  #abort({ chunk: id, graceMs, atMs }: AbortRequested): void {
    const chunk = this.#chunks.get(id);
    if (chunk === undefined || chunk.abortGraceMs !== undefined) return;
    const part = chunk.part;
    if (part === undefined) {
      this.#end(chunk, { kind: 'aborted' });
      return;
    }
    chunk.abortGraceMs = graceMs;
    this.#commands.push({ type: 'abortPart', child: part.child.id, chunk: id, reason: 'aborted' });
    // What has not begun costs nothing, and its child may be busy with another's work, which must not be killed.
    if (part.hasBegun || part.child.parts[0] === part) this.#limitAbort(part, atMs);
  }

  #limitAbort(part: Part, atMs: number): void {
    part.child.killAtMs = earlier(part.child.killAtMs, atMs + (part.chunk.abortGraceMs ?? 0));
  }

  #tick(atMs: number): void {
    for (const child of this.#children.values()) {
      if (child.state === 'dying') continue;
      if (child.killAtMs !== undefined && child.killAtMs <= atMs) {
        this.#kill(child, child.state !== 'retiring' && !this.#isOurWill(child));
        continue;
      }
      const isOld = child.maxAgeMs !== undefined && atMs >= (child.readyAtMs ?? atMs) + child.maxAgeMs;
      if (isOld && child.state === 'ready' && !child.isStopping) {
        child.isStopping = true;
        if (child.parts.length > 0) this.#commands.push({ type: 'stopChild', child: child.id });
      }
      for (const part of child.parts) this.#checkTimeout(part, atMs);
    }
  }

  #checkTimeout(part: Part, atMs: number): void {
    const { timeoutMs, chunk } = part.chunk.spec;
    if (timeoutMs === undefined || part.timedOut !== undefined || part.chunk.abortGraceMs !== undefined)
      return;
    for (const [index, startedAt] of part.started) {
      if (startedAt + timeoutMs > atMs) continue;
      part.timedOut = { index, ms: atMs - startedAt };
      part.child.killAtMs = earlier(part.child.killAtMs, atMs + this.#limits.timeoutGraceMs);
      this.#commands.push({ type: 'abortPart', child: part.child.id, chunk, reason: 'timedOut' });
      return;
    }
  }

  // -- how children go -------------------------------------------------------------------------------------------

  #isOurWill(child: ChildRecord): boolean {
    return child.parts.some((part) => part.timedOut !== undefined || part.chunk.abortGraceMs !== undefined);
  }

  /** It sent what it must not send: it dies, and whatever it was running is to blame. */
  #break(child: ChildRecord): void {
    this.#kill(child, true);
  }

  /** `isBlamed`: the kill only completes what its task has done to it, so its items are suspects. */
  #kill(child: ChildRecord, isBlamed: boolean = false): void {
    if (child.state === 'dying') return;
    child.endsByOurWill = !isBlamed;
    if (!isBlamed) for (const part of child.parts) part.isInnocent = part.timedOut === undefined;
    child.state = 'dying';
    child.killAtMs = undefined;
    this.#commands.push({ type: 'killChild', child: child.id });
  }

  #retire(child: ChildRecord, atMs: number): void {
    if (child.isEnding) this.#recycled += 1;
    child.state = 'retiring';
    child.killAtMs = earlier(child.killAtMs, atMs + this.#limits.retireMs);
    this.#commands.push({ type: 'retireChild', child: child.id });
  }

  #childExited(child: ChildRecord, exit: ChildExit, atMs: number): void {
    this.#children.delete(child.id);
    const isDeath = child.state !== 'retiring' && !child.endsByOurWill;
    if (isDeath && !child.wasReady) this.#startFailed(child, atMs);
    else if (isDeath) this.#deaths += 1;
    // A successor must not be replaced over and over while its predecessor takes its time.
    if (isDeath && child.isSpare)
      this.#placement.holdSpares(child.key, atMs + this.#limits.outsideDeathsWithinMs);
    // In reverse, for what goes back goes to the front of the queue.
    for (const part of [...child.parts].reverse()) this.#partLost(part, exit, atMs);
  }

  #partLost(part: Part, exit: ChildExit, atMs: number): void {
    const { chunk, child } = part;
    chunk.part = undefined;
    if (chunk.abortGraceMs !== undefined) {
      this.#end(chunk, { kind: 'aborted' });
      return;
    }
    if (part.timedOut !== undefined) {
      const { index, ms } = part.timedOut;
      part.open.remove({ first: index, count: 1 });
      this.#end(chunk, { kind: 'timedOut', index, exit, ms, unstarted: rest(part) }, { child });
      return;
    }
    const suspects = part.isInnocent ? [] : suspectsOf(part);
    if (suspects.length > 0) {
      for (const range of suspects) part.open.remove(range);
      const ms = Math.max(0, atMs - part.lastNewsMs);
      this.#end(chunk, { kind: 'childDied', exit, ms, suspects, unstarted: rest(part) }, { child });
      return;
    }
    // Nothing of it was running: it goes on elsewhere, and nobody hears of it.
    for (const range of part.open.ranges()) chunk.todo.add(range);
    if (chunk.todo.size === 0) {
      this.#continue(chunk);
      return;
    }
    this.#placement.putBack(chunk);
    const isItsDoing = !part.isInnocent && (part.hasBegun || child.parts[0] === part);
    if (isItsDoing) this.#diedOutsideItems(chunk.spec.task, child, atMs);
  }

  /** The supervisor gives up on a function that keeps killing children outside items: the job fails, the pool lives. */
  #diedOutsideItems(task: string, child: ChildRecord, atMs: number): void {
    const { outsideDeathsMax, outsideDeathsWithinMs } = this.#limits;
    if (!this.#tasks.of(task).diedOutsideItems(atMs, outsideDeathsMax, outsideDeathsWithinMs)) return;
    for (const chunk of [...this.#chunks.values()]) {
      if (chunk.spec.task !== task || chunk.part !== undefined) continue;
      this.#end(chunk, { kind: 'taskFailed' }, { child, why: 'killsChildren' });
    }
  }

  #startFailed(child: ChildRecord, atMs: number): void {
    this.#placement.holdSpares(child.key, atMs + this.#limits.outsideDeathsWithinMs);
    const failures = (this.#startFailures.get(child.key) ?? 0) + 1;
    this.#startFailures.set(child.key, failures);
    if (failures < this.#limits.startFailuresMax) return;
    this.#startFailures.delete(child.key);
    const ending: ChunkEnding = { kind: child.hasStarted ? 'initializerFailed' : 'taskFailed' };
    for (const chunk of [...this.#chunks.values()]) {
      if (chunk.spec.key !== child.key || chunk.part !== undefined) continue;
      this.#end(chunk, ending, { child, why: 'childrenDoNotStart' });
    }
  }

  #terminate(): void {
    this.#isClosing = true;
    this.#placement.isClosing = true;
    for (const chunk of [...this.#chunks.values()]) this.#end(chunk, { kind: 'aborted' });
    for (const child of this.#children.values()) {
      child.parts.length = 0;
      this.#kill(child);
    }
  }

  /** After every event: whoever has to leave leaves, and whatever can run is given out. */
  #settle(atMs: number): void {
    for (const child of this.#children.values()) {
      if (child.state === 'ready' && child.parts.length === 0 && child.isEnding) this.#retire(child, atMs);
    }
    this.#placement.place(atMs);
    if (!this.#isClosing || this.#chunks.size > 0) return;
    for (const child of this.#children.values()) {
      if (child.state === 'ready') this.#retire(child, atMs);
      else if (child.state === 'starting') this.#kill(child);
    }
  }
}

function snapshotOf(child: ChildRecord): ChildSnapshot {
  const open = child.load;
  const running = child.parts.some((part) => part.hasBegun && part.open.size > 0) ? 1 : 0;
  const isLeaving = child.state === 'retiring' || child.state === 'dying';
  const working = open > 0 ? 'busy' : 'idle';
  return {
    child: child.id,
    state: isLeaving ? 'retiring' : child.state === 'starting' ? 'starting' : working,
    tasksRun: child.tasksGiven - open + running,
    isSpare: child.isSpare,
  };
}

function earlier(a: number | undefined, b: number): number {
  return a === undefined ? b : Math.min(a, b);
}
