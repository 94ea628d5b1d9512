/**
 * How children go, and what becomes of what they ran: asked to leave, killed, or dead by themselves. It blames nobody;
 * it says who was running.
 */
import type { ChildRecord } from './child-record.ts';
import type { ChildExit, ChunkEnding } from './chunk.ts';
import type { Part } from './chunk-record.ts';
import type { PoolState } from './pool-state.ts';
import { begunForGood, rest, suspectsOf } from './suspects.ts';

export class ChildEndings {
  readonly #state: PoolState;
  /** Start failures in a row, by key. */
  readonly #startFailures = new Map<string, number>();

  constructor(state: PoolState) {
    this.#state = state;
  }

  /** Its program runs; its initializer comes next, and has only so long. */
  started(child: ChildRecord, atMs: number, initializerMs?: number): void {
    child.hasStarted = true;
    child.initializeByMs = atMs + (initializerMs ?? this.#state.limits.initializerMs);
  }

  /** It has not said a word: it has failed to start. */
  hangsAtStart(child: ChildRecord): void {
    child.hasHung = true;
    this.kill(child, true);
  }

  /** It would hang in the next child too: nobody is made to wait for that. */
  initializerHangs(child: ChildRecord): void {
    this.kill(child);
    this.#endWaiting(child, 'initializerHangs');
  }

  /** Its initializer is done: whatever failed before, children of this key can start. */
  ready(child: ChildRecord, atMs: number): void {
    if (child.state !== 'starting') return;
    child.state = 'ready';
    child.readyAtMs = atMs;
    this.#startFailures.delete(child.key);
  }

  /** It has nothing to do any more and leaves by itself. */
  retire(child: ChildRecord, atMs: number): void {
    if (child.isEnding) this.#state.countGone(child.key, 'recycled');
    child.state = 'retiring';
    child.killBy(atMs + this.#state.limits.retireMs);
    this.#state.command({ type: 'retireChild', child: child.id });
  }

  /** It sent what it must not send: it dies, and whatever it was running is to blame. */
  break(child: ChildRecord): void {
    this.kill(child, true);
  }

  /** `isBlamed`: the kill only completes what its task has done to it, so its items are suspects. */
  kill(child: ChildRecord, isBlamed: boolean = false): void {
    if (child.state === 'dying') return;
    if (!isBlamed) acquit(child);
    child.state = 'dying';
    child.killAtMs = undefined;
    this.#state.command({ type: 'killChild', child: child.id });
  }

  exited(child: ChildRecord, told: ChildExit, atMs: number): void {
    const { children, limits, sparesHeldUntilMs } = this.#state;
    children.delete(child.id);
    const { withItsServer, ...own } = told;
    // One that we kill dies of that, whatever becomes of its server.
    const exit: ChildExit = child.state === 'dying' ? own : told;
    // Who was running is told as of any death; whoever counts the tries decides what this one means.
    if (exit.withItsServer === true) child.endsByOurWill = true;
    const isDeath = child.state !== 'retiring' && !child.endsByOurWill;
    if (isDeath && !child.wasReady) this.#startFailed(child, atMs);
    // One that hung says nothing anywhere else: with others at work beside it, the count is all that tells of it.
    if (isDeath && (child.wasReady || child.hasHung)) this.#state.countGone(child.key, 'deaths');
    // A successor must not be replaced over and over while its predecessor takes its time.
    if (isDeath && child.isSpare) sparesHeldUntilMs.set(child.key, atMs + limits.outsideDeathsWithinMs);
    // In reverse, for what goes back goes to the front of the queue.
    for (const part of [...child.parts].reverse()) this.#partLost(part, exit, atMs);
  }

  #partLost(part: Part, exit: ChildExit, atMs: number): void {
    const state = this.#state;
    const { chunk, child } = part;
    chunk.part = undefined;
    if (chunk.abortGraceMs !== undefined) {
      for (const range of suspectsOf(part)) chunk.unheard.add(range);
      state.endAborted(chunk);
      return;
    }
    if (part.timedOut !== undefined) {
      const { index, ms } = part.timedOut;
      part.open.remove({ first: index, count: 1 });
      const beside = begunForGood(part);
      for (const range of beside) part.open.remove(range);
      const started = beside.length === 0 ? {} : { started: beside };
      state.endChunk(
        chunk,
        { kind: 'timedOut', index, exit, ms, unstarted: rest(part), ...started },
        { child },
      );
      return;
    }
    const begun = part.isInnocent ? begunForGood(part) : [];
    if (begun.length > 0) {
      state.endChunk(chunk, { kind: 'aborted', started: begun }, { child });
      return;
    }
    const suspects = part.isInnocent ? [] : suspectsOf(part);
    if (suspects.length > 0) {
      for (const range of suspects) part.open.remove(range);
      const ms = Math.max(0, atMs - part.lastNewsMs);
      state.endChunk(chunk, { kind: 'childDied', exit, ms, suspects, unstarted: rest(part) }, { child });
      return;
    }
    // Nothing of it was running: it goes on elsewhere, and nobody hears of it.
    for (const range of part.open.ranges()) chunk.todo.add(range);
    const isOver = chunk.todo.size === 0;
    state.continueChunk(chunk);
    const isItsDoing =
      !part.isInnocent && exit.withItsServer !== true && (part.hasBegun || child.parts[0] === part);
    if (!isOver && isItsDoing) this.#diedOutsideItems(chunk.spec.task, child, atMs);
  }

  /** The supervisor gives up on a function that keeps killing children outside items: the job fails, the pool lives. */
  #diedOutsideItems(task: string, child: ChildRecord, atMs: number): void {
    const { outsideDeathsMax, outsideDeathsWithinMs } = this.#state.limits;
    const record = this.#state.tasks.of(task);
    if (!record.diedOutsideItems(atMs, outsideDeathsMax, outsideDeathsWithinMs)) return;
    for (const chunk of [...this.#state.chunks.values()]) {
      if (chunk.spec.task !== task || chunk.part !== undefined) continue;
      this.#state.endChunk(chunk, { kind: 'taskFailed' }, { child, why: 'killsChildren' });
    }
  }

  #startFailed(child: ChildRecord, atMs: number): void {
    const { limits, sparesHeldUntilMs } = this.#state;
    sparesHeldUntilMs.set(child.key, atMs + limits.outsideDeathsWithinMs);
    const failures = (this.#startFailures.get(child.key) ?? 0) + 1;
    this.#startFailures.set(child.key, failures);
    if (failures < limits.startFailuresMax) return;
    this.#endWaiting(child, child.hasHung ? 'childrenHangAtStart' : 'childrenDoNotStart');
  }

  /** Whatever waits for children of this key has waited in vain. */
  #endWaiting(
    child: ChildRecord,
    why: 'childrenDoNotStart' | 'childrenHangAtStart' | 'initializerHangs',
  ): void {
    this.#startFailures.delete(child.key);
    const ending: ChunkEnding = { kind: child.hasStarted ? 'initializerFailed' : 'taskFailed' };
    for (const chunk of [...this.#state.chunks.values()]) {
      if (chunk.spec.key !== child.key || chunk.part !== undefined) continue;
      this.#state.endChunk(chunk, ending, { child, why });
    }
  }
}

/** It ends, and not for what its task did. */
function acquit(child: ChildRecord): void {
  child.endsByOurWill = true;
  for (const part of child.parts) part.isInnocent = part.timedOut === undefined;
}
