/**
 * Decides which child runs which items, when children come and go, and how each chunk ends. Events in, commands out;
 * no bytes, no clock, no promises. It retries nothing and blames nobody: it reports who was running when a child died.
 *
 *   chunkQueued -> queue -> placement -> part on a child -> partEnded -> next part on a successor | endChunk
 *                                              |
 *                                          childExited -> endChunk(childDied | timedOut | aborted), or back to the queue
 */
import { ChildEndings } from './child-endings.ts';
import type { ChildRecord } from './child-record.ts';
import { Deadlines } from './deadlines.ts';
import { FullSize } from './full-size.ts';
import { PartNews } from './part-news.ts';
import { Placement } from './placement.ts';
import type { PoolCommand } from './pool-command.ts';
import type { ChildId, KeysReleased, PoolEvent } from './pool-event.ts';
import { defaultLimits, type PoolMachineLimits } from './pool-limits.ts';
import { type PoolSnapshot, snapshotOf } from './pool-snapshot.ts';
import { PoolState } from './pool-state.ts';

export class PoolMachine {
  readonly #state: PoolState;
  readonly #endings: ChildEndings;
  readonly #deadlines: Deadlines;
  readonly #news: PartNews;
  readonly #placement: Placement;
  readonly #fullSize: FullSize;

  constructor(processes: number, limits: Partial<PoolMachineLimits> = {}) {
    this.#state = new PoolState(processes, { ...defaultLimits, ...limits });
    this.#endings = new ChildEndings(this.#state);
    this.#deadlines = new Deadlines(this.#state, this.#endings);
    this.#news = new PartNews(this.#state, this.#endings, this.#deadlines);
    this.#placement = new Placement(this.#state, this.#endings);
    this.#fullSize = new FullSize(this.#state);
  }

  /** Take one event and say what is to be done. */
  step(event: PoolEvent): PoolCommand[] {
    this.#apply(event);
    if (!stillEvents.has(event.type)) this.#settle(event.atMs);
    return this.#state.takeCommands();
  }

  /** When `clockTicked` has to come at the latest; undefined: no need for it. */
  nextDeadlineMs(): number | undefined {
    return this.#deadlines.next();
  }

  /** True once nothing is left: no chunk, no child. */
  get isEmpty(): boolean {
    return this.#state.children.size === 0 && this.#state.chunks.size === 0;
  }

  snapshot(): PoolSnapshot {
    return snapshotOf(this.#state);
  }

  #apply(event: PoolEvent): void {
    switch (event.type) {
      case 'chunkQueued':
        this.#state.addChunk(event);
        return;
      case 'abortRequested':
        this.#deadlines.abort(event);
        return;
      case 'recallRequested':
        this.#state.recall(event.chunk);
        return;
      case 'resized':
        this.#state.processes = event.processes;
        return;
      case 'startsHeld':
        this.#state.isHeld = event.held;
        return;
      case 'newsHeld':
        this.#deadlines.newsHeld(event);
        return;
      case 'warmRequested':
        this.#fullSize.request(event);
        return;
      case 'keysReleased':
        this.#release(event);
        return;
      case 'closeRequested':
        this.#state.isClosing = true;
        return;
      case 'terminateRequested':
        this.#terminate();
        return;
      case 'clockTicked':
        this.#deadlines.passed(event.atMs);
        return;
      default: {
        const child = this.#state.children.get(event.child);
        // News of a child that is gone: its exit came first.
        if (child !== undefined) this.#applyToChild(child, event);
      }
    }
  }

  #applyToChild(child: ChildRecord, event: Extract<PoolEvent, { readonly child: ChildId }>): void {
    switch (event.type) {
      case 'childStarted':
        this.#endings.started(child, event.atMs, event.initializerMs);
        return;
      case 'childReady':
        this.#endings.ready(child, event.atMs);
        return;
      case 'initializerThrew':
      case 'channelBroken':
        this.#endings.break(child);
        return;
      case 'channelLost':
        // Its exit is on the way as a rule. Task code that closes descriptors leaves a child that nobody can reach.
        if (child.state !== 'dying') child.killBy(event.atMs + this.#state.limits.lostChannelMs);
        return;
      case 'childExiting':
        child.exiting = event.running;
        child.killBy(event.atMs + this.#state.limits.exitingMs);
        return;
      case 'childExited':
        this.#fullSize.exited(child, event.atMs);
        this.#endings.exited(child, event.exit, event.atMs);
        return;
      default: {
        const part = child.partOf(event.chunk);
        if (part === undefined) this.#endings.break(child);
        else this.#news.take(part, event);
      }
    }
  }

  /** Whoever serves a key that no chunk asks for leaves; one whose initializer hangs is not waited for. */
  #release({ keys, atMs }: KeysReleased): void {
    const { children, chunks, tallies } = this.#state;
    const wanted = new Set([...chunks.values()].map(({ spec }) => spec.key));
    for (const child of children.values()) {
      if (!keys.has(child.key) || wanted.has(child.key)) continue;
      if (child.state === 'ready') this.#endings.retire(child, atMs);
      else if (child.state === 'starting') this.#endings.kill(child);
    }
    const serving = new Set([...children.values()].map(({ key }) => key));
    for (const key of keys) if (!wanted.has(key) && !serving.has(key)) tallies.delete(key);
  }

  #terminate(): void {
    const { chunks, children } = this.#state;
    this.#state.isClosing = true;
    for (const chunk of [...chunks.values()]) this.#state.endChunk(chunk, { kind: 'aborted' });
    for (const child of children.values()) {
      child.parts.length = 0;
      this.#endings.kill(child);
    }
  }

  /** After every event: whoever has to leave leaves, and whatever can run is given out. */
  #settle(atMs: number): void {
    const { children, chunks } = this.#state;
    for (const child of children.values()) {
      const isDone = child.state === 'ready' && child.parts.length === 0 && child.isEnding;
      if (isDone) this.#endings.retire(child, atMs);
    }
    if (!this.#state.isHeld) this.#placement.place(atMs);
    this.#fullSize.fill(atMs);
    for (const child of children.values()) {
      if (!child.waitsForDebugger) child.startByMs ??= atMs + this.#state.limits.startMs;
    }
    if (!this.#state.isClosing || chunks.size > 0) return;
    for (const child of children.values()) {
      if (child.state === 'ready') this.#endings.retire(child, atMs);
      else if (child.state === 'starting') this.#endings.kill(child);
    }
  }
}

/** The most frequent events, and the first word of each child: they move nothing. */
const stillEvents: ReadonlySet<PoolEvent['type']> = new Set([
  'itemsSucceeded',
  'itemStarted',
  'partBegan',
  'childStarted',
]);
