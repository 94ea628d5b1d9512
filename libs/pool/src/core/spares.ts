/**
 * Successors. Recycling must not wait for a process start: whoever has got its last items has a successor from that
 * moment, which takes no slot and no work until its predecessor has left.
 */
import type { ChildEndings } from './child-endings.ts';
import type { ChildRecord } from './child-record.ts';
import type { ChunkRecord } from './chunk-record.ts';
import type { PoolState } from './pool-state.ts';

export class Spares {
  readonly #state: PoolState;
  readonly #endings: ChildEndings;

  constructor(state: PoolState, endings: ChildEndings) {
    this.#state = state;
    this.#endings = endings;
  }

  /** The successor takes the place of whoever has left; the one that is ready first. With a key: only for its work. */
  promote(key?: string): void {
    let free = this.#state.processes - this.#state.members;
    for (const state of ['ready', 'starting'] as const) {
      for (const child of this.#state.children.values()) {
        if (free <= 0) return;
        if (!child.isSpare || child.state !== state || (key ?? child.key) !== child.key) continue;
        child.isSpare = false;
        child.wasLate = state === 'starting';
        free -= 1;
      }
    }
  }

  /** Have as many as there are members about to leave: no fewer, and no more. */
  match(atMs: number): void {
    const { children, processes, sparesHeldUntilMs } = this.#state;
    if (!this.#isAnyDue()) return;
    for (const [key, untilMs] of sparesHeldUntilMs) if (untilMs <= atMs) sparesHeldUntilMs.delete(key);
    const missing = new Map<string, number>();
    const examples = new Map<string, ChunkRecord>();
    for (const child of children.values()) {
      if (isComing(child)) missing.set(child.key, (missing.get(child.key) ?? 0) - 1);
      const last = child.parts.at(-1);
      if (child.isMember && child.isEnding && last !== undefined && this.#hasSuccession(last.chunk)) {
        missing.set(child.key, (missing.get(child.key) ?? 0) + 1);
        examples.set(child.key, last.chunk);
      }
    }
    for (const chunk of this.#waitForLate()) {
      missing.set(chunk.spec.key, (missing.get(chunk.spec.key) ?? 0) + 1);
      examples.set(chunk.spec.key, chunk);
    }
    let room = 2 * processes - this.#inUse();
    for (const [key, chunk] of examples) {
      for (let n = missing.get(key) ?? 0; n > 0 && room > 0; n--, room--) this.#state.spawn(key, chunk, true);
    }
    for (const child of children.values()) {
      // Its predecessor stays after all: an abort has given it items back.
      const surplus = missing.get(child.key) ?? 0;
      if (!child.isSpare || child.state !== 'ready' || surplus >= 0) continue;
      this.#endings.retire(child, atMs);
      missing.set(child.key, surplus + 1);
    }
  }

  /** Asked after nearly every event, and hardly ever so: neither lists nor maps. */
  #isAnyDue(): boolean {
    for (const child of this.#state.children.values()) {
      if (child.isSpare || child.isEnding || isComingLate(child)) return true;
    }
    return false;
  }

  /**
   * The chunks that will use up those who come late, as soon as these are ready. Their successors start beside them: started after
   * them, each start would wait for the one before it, and the machine for both.
   */
  #waitForLate(): ChunkRecord[] {
    const { children, isClosing, queue } = this.#state;
    const late = new Map<string, number>();
    for (const child of children.values()) {
      if (isComingLate(child)) late.set(child.key, (late.get(child.key) ?? 0) + 1);
    }
    const chunks: ChunkRecord[] = [];
    // Of what is left of a pool that closes these may take all.
    if (late.size === 0 || isClosing) return chunks;
    for (let at = 0; at < queue.size && late.size > 0; at++) {
      const chunk = queue.at(at) as ChunkRecord;
      const { key } = chunk.spec;
      const left = late.get(key);
      if (left === undefined) continue;
      if (left === 1) late.delete(key);
      else late.set(key, left - 1);
      if (chunk.todo.size >= chunk.taskLimit && this.#hasSuccession(chunk)) chunks.push(chunk);
    }
    return chunks;
  }

  /** Children that stay: members and spares. */
  #inUse(): number {
    let count = 0;
    for (const child of this.#state.children.values()) if (child.isMember || isComing(child)) count += 1;
    return count;
  }

  #hasSuccession(chunk: ChunkRecord): boolean {
    const { isClosing, queue, sparesHeldUntilMs } = this.#state;
    if (chunk.abortGraceMs !== undefined || sparesHeldUntilMs.has(chunk.spec.key)) return false;
    // What was handed in is all that will come: successors only for what is still to be given out.
    return !isClosing || chunk.todo.size > 0 || queue.size > 0;
  }
}

function isComingLate(child: ChildRecord): boolean {
  return child.wasLate && child.isMember && child.state === 'starting';
}

function isComing(child: ChildRecord): boolean {
  return child.isSpare && (child.state === 'starting' || child.state === 'ready');
}
