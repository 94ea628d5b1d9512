/**
 * What a child says of a part that it runs. Each item is reported once; a child that reports what it was never asked
 * for, or the same twice, is broken, whoever forged the report.
 */
import type { ChildEndings } from './child-endings.ts';
import type { ChunkId, IndexRange } from './chunk.ts';
import type { Part } from './chunk-record.ts';
import type { Deadlines } from './deadlines.ts';
import type { ChildId, ItemsSucceeded, PartEnded, PoolEvent } from './pool-event.ts';
import type { PoolState } from './pool-state.ts';

export type PartEvent = Extract<PoolEvent, { readonly child: ChildId; readonly chunk: ChunkId }>;

export class PartNews {
  readonly #state: PoolState;
  readonly #endings: ChildEndings;
  readonly #deadlines: Deadlines;

  constructor(state: PoolState, endings: ChildEndings, deadlines: Deadlines) {
    this.#state = state;
    this.#endings = endings;
    this.#deadlines = deadlines;
  }

  take(part: Part, event: PartEvent): void {
    part.lastNewsMs = event.atMs;
    switch (event.type) {
      case 'partBegan':
        this.#deadlines.began(part, event.atMs);
        return;
      case 'itemStarted':
        if (part.chunk.spec.marksStarts && part.open.has(event.index))
          part.started.set(event.index, event.atMs);
        else this.#endings.break(part.child);
        return;
      case 'itemsSucceeded':
        this.#itemsSucceeded(part, event);
        return;
      case 'itemFailed':
        if (!this.#report(part, { first: event.index, count: 1 })) return;
        if (isWanted(part, event.index)) {
          this.#state.command({ type: 'acceptFailure', chunk: part.chunk.spec.chunk });
        }
        return;
      case 'taskUnloadable':
        this.#taskUnloadable(part);
        return;
      case 'partEnded':
        this.#partEnded(part, event);
        return;
    }
  }

  #itemsSucceeded(part: Part, event: ItemsSucceeded): void {
    if (!this.#report(part, event)) return;
    this.#state.tasks.of(part.chunk.spec.task).measured(event.count, event.runMs);
    if (isWanted(part, event.first)) {
      this.#state.command({ type: 'acceptValues', chunk: part.chunk.spec.chunk });
    }
  }

  /**
   * Note that items were reported. What was never asked for, or was reported before, is forged; and so is what comes
   * together where each item comes by itself: values are taken or dropped as they came, and the one that ran too long
   * would take its neighbours along.
   */
  #report(part: Part, { first, count }: IndexRange): boolean {
    const { chunk, open, started } = part;
    const isOwed = !chunk.spec.marksStarts || (count === 1 && started.delete(first));
    const isTrue = isOwed && open.remove({ first, count });
    if (!isTrue) this.#endings.break(part.child);
    else if (chunk.abortGraceMs !== undefined) chunk.unheard.add({ first, count });
    return isTrue;
  }

  /** Its chunk is over; its child can run other functions. */
  #taskUnloadable(part: Part): void {
    const { chunk, child } = part;
    child.dropPart(part);
    child.tasksGiven -= part.count;
    chunk.part = undefined;
    const isAborted = chunk.abortGraceMs !== undefined;
    this.#state.endChunk(chunk, { kind: isAborted ? 'aborted' : 'taskFailed' }, { child, why: 'unloadable' });
  }

  #partEnded(part: Part, { next, isSpent }: PartEnded): void {
    const { chunk, child } = part;
    if (part.timedOut !== undefined) {
      this.#endings.kill(child);
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
      this.#endings.break(child);
      return;
    }
    child.dropPart(part);
    child.tasksGiven -= unstarted.count;
    child.isStopping ||= isSpent;
    chunk.part = undefined;
    chunk.todo.add(unstarted);
    // A grace time that ran for this part must not hit the parts after it.
    if (chunk.abortGraceMs !== undefined && child.state === 'ready') child.killAtMs = undefined;
    this.#state.continueChunk(chunk);
  }
}

/** An aborted chunk has been promised silence; an item that ran too long stays one, though it came after all. */
function isWanted(part: Part, index: number): boolean {
  return part.chunk.abortGraceMs === undefined && part.timedOut?.index !== index;
}
