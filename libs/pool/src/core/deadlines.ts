/** What may take only so long: items, aborted parts, a child's life, its last act. */
import type { ChildEndings } from './child-endings.ts';
import type { ChildRecord } from './child-record.ts';
import type { Part } from './chunk-record.ts';
import type { AbortRequested, NewsHeld } from './pool-event.ts';
import type { PoolState } from './pool-state.ts';

export class Deadlines {
  readonly #state: PoolState;
  readonly #endings: ChildEndings;

  constructor(state: PoolState, endings: ChildEndings) {
    this.#state = state;
    this.#endings = endings;
  }

  /** When {@link passed} has to be called at the latest. */
  next(): number | undefined {
    let next: number | undefined;
    for (const child of this.#state.children.values()) {
      const deadline = child.nextDeadlineMs(this.#isHeard);
      if (deadline !== undefined && (next === undefined || deadline < next)) next = deadline;
    }
    return next;
  }

  /** Time has passed: act on every deadline that it reached. */
  passed(atMs: number): void {
    for (const child of this.#state.children.values()) {
      if (child.state === 'dying') continue;
      if (child.killAtMs !== undefined && child.killAtMs <= atMs) {
        this.#endings.kill(child, child.state !== 'retiring' && !isOurWill(child));
        continue;
      }
      if (child.state === 'starting' && this.#isHeard && child.hangsAtStart(atMs)) {
        this.#endings.hangsAtStart(child);
        continue;
      }
      if (child.state === 'starting' && this.#isHeard && child.isLate(atMs)) {
        this.#endings.initializerHangs(child);
        continue;
      }
      if (child.mayAge && isOld(child, atMs)) {
        child.isStopping = true;
        if (child.parts.length > 0) this.#state.command({ type: 'stopChild', child: child.id });
      }
      for (const part of child.parts) this.#checkTimeout(part, atMs);
    }
  }

  /**
   * The end of an item may lie unread in the pipe: no child is judged for the time that nobody listened, and what came
   * meanwhile is read before anybody is.
   */
  newsHeld({ atMs, held }: NewsHeld): void {
    const state = this.#state;
    const sinceMs = state.unreadSinceMs;
    if (held) state.unreadSinceMs ??= atMs;
    else state.unreadSinceMs = undefined;
    if (held || sinceMs === undefined) return;
    const unreadMs = atMs - sinceMs;
    for (const child of state.children.values()) {
      if (child.startByMs !== undefined) child.startByMs += unreadMs;
      if (child.initializeByMs !== undefined) child.initializeByMs += unreadMs;
      for (const { chunk, started } of child.parts) {
        const earliestMs = atMs + state.limits.timeoutGraceMs - (chunk.spec.timeoutMs ?? 0);
        for (const [index, startedAt] of started) {
          started.set(index, Math.max(startedAt + unreadMs, earliestMs));
        }
      }
    }
  }

  /** Nobody wants the rest of a chunk: its running items have the grace time. */
  abort({ chunk: id, graceMs, atMs }: AbortRequested): void {
    const chunk = this.#state.chunks.get(id);
    if (chunk === undefined || chunk.abortGraceMs !== undefined) return;
    const part = chunk.part;
    if (part === undefined) {
      this.#state.endChunk(chunk, { kind: 'aborted' });
      return;
    }
    chunk.abortGraceMs = graceMs;
    this.#state.command({ type: 'abortPart', child: part.child.id, chunk: id, reason: 'aborted' });
    // What has not begun costs nothing, and its child may be busy with another's work, which must not be killed.
    if (part.hasBegun || part.child.parts[0] === part) this.#limitAbort(part, atMs);
  }

  /** The part's function is loaded, and its first item starts. */
  began(part: Part, atMs: number): void {
    part.hasBegun = true;
    part.child.hasBegunWork = true;
    if (part.chunk.abortGraceMs !== undefined) this.#limitAbort(part, atMs);
  }

  get #isHeard(): boolean {
    return this.#state.unreadSinceMs === undefined;
  }

  #limitAbort(part: Part, atMs: number): void {
    part.child.killBy(atMs + (part.chunk.abortGraceMs ?? 0));
  }

  #checkTimeout(part: Part, atMs: number): void {
    const { timeoutMs, chunk } = part.chunk.spec;
    if (timeoutMs === undefined || part.timedOut !== undefined || part.chunk.abortGraceMs !== undefined)
      return;
    if (!this.#isHeard) return;
    for (const [index, startedAt] of part.started) {
      if (startedAt + timeoutMs > atMs) continue;
      part.timedOut = { index, ms: atMs - startedAt };
      part.child.killBy(atMs + this.#state.limits.timeoutGraceMs);
      this.#state.command({ type: 'abortPart', child: part.child.id, chunk, reason: 'timedOut', index });
      return;
    }
  }
}

function isOld({ maxAgeMs, readyAtMs }: ChildRecord, atMs: number): boolean {
  return maxAgeMs !== undefined && atMs >= (readyAtMs ?? atMs) + maxAgeMs;
}

/** Killed for a timeout or an abort: what else it runs is innocent. */
function isOurWill(child: ChildRecord): boolean {
  return child.parts.some((part) => part.timedOut !== undefined || part.chunk.abortGraceMs !== undefined);
}
