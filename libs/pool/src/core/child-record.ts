import type { ChunkId } from './chunk.ts';
import type { Part } from './chunk-record.ts';
import type { ChildExiting, ChildId, KeyTraits } from './pool-event.ts';

/** One child process, as far as decisions need it. */
export class ChildRecord {
  readonly id: ChildId;
  readonly key: string;
  readonly maxAgeMs: number | undefined;
  readonly waitsForDebugger: boolean;
  /**
   * starting -> ready -> retiring (asked to leave) -> gone, and from anywhere -> dying (killed by us) -> gone.
   * Only a ready child holds parts that can begin; a dying one may still hold those that it died with.
   */
  state: 'starting' | 'ready' | 'retiring' | 'dying' = 'starting';
  /** A successor that waits for its predecessor to leave; it takes no slot and no work. */
  isSpare: boolean;
  /** It followed its predecessor before it was ready: those of its kind live shorter than they take to start. */
  wasLate = false;
  /** Its program ran (so that what fails next is the initializer). */
  hasStarted = false;
  /** What it holds, in the order in which it runs them. */
  readonly parts: Part[] = [];
  /** Items given to it in its life, without those that came back unstarted. */
  tasksGiven = 0;
  /** The smallest limit among the jobs it has served. Invariant: tasksGiven <= taskLimit. */
  taskLimit: number = Number.POSITIVE_INFINITY;
  /** Takes nothing new and leaves after what it holds: too old, too big. */
  isStopping = false;
  readyAtMs: number | undefined;
  /** An item has started in it. */
  hasBegunWork = false;
  /** When it has to have said its first word; undefined until the step that started it is over, and where it need not. */
  startByMs: number | undefined;
  /** It was killed for not having said it. */
  hasHung = false;
  /** When its initializer has to be done. */
  initializeByMs: number | undefined;
  /** When to kill it unless it is gone by then: lost channel, a last act that takes too long. */
  killAtMs: number | undefined;
  /** What it said in its exit handlers. */
  exiting: ChildExiting['running'] | undefined;
  lastTask: string | undefined;
  /** We killed it, and not for what its task did: neither a death nor a failure to start. */
  endsByOurWill = false;

  constructor(id: ChildId, key: string, isSpare: boolean, traits: KeyTraits = {}) {
    this.id = id;
    this.key = key;
    this.isSpare = isSpare;
    this.maxAgeMs = traits.maxAgeMs;
    this.waitsForDebugger = traits.waitsForDebugger === true;
  }

  /** Counts against `processes`. */
  get isMember(): boolean {
    if (this.isSpare) return false;
    if (this.state === 'starting' || this.state === 'ready') return true;
    // One that fails to start is replaced when it is gone, or failures could not be counted.
    return this.state === 'dying' && !this.wasReady && !this.endsByOurWill;
  }

  get wasReady(): boolean {
    return this.readyAtMs !== undefined;
  }

  get isIdle(): boolean {
    return this.state === 'ready' && !this.isSpare && this.parts.length === 0;
  }

  /** Will leave as soon as it has finished what it holds, so a successor is due. */
  get isEnding(): boolean {
    return this.state === 'ready' && (this.isStopping || this.tasksGiven >= this.taskLimit);
  }

  /**
   * Whether its age counts. One that still loads its first function is let be: loading can take longer than maxAgeMs,
   * and a child that leaves before its first item would be followed by another, for ever.
   */
  get mayAge(): boolean {
    return this.state === 'ready' && !this.isStopping && (this.hasBegunWork || this.parts.length === 0);
  }

  /** Items that it holds and has not reported. */
  get load(): number {
    let items = 0;
    for (const part of this.parts) items += part.open.size;
    return items;
  }

  /** How many more items it may be given for a job of this limit. */
  roomFor(taskLimit: number): number {
    return this.isStopping ? 0 : Math.max(0, Math.min(this.taskLimit, taskLimit) - this.tasksGiven);
  }

  /** Node itself can hang where the system gives it no thread. */
  hangsAtStart(atMs: number): boolean {
    return !this.hasStarted && this.startByMs !== undefined && this.startByMs <= atMs;
  }

  isLate(atMs: number): boolean {
    return this.initializeByMs !== undefined && this.initializeByMs <= atMs;
  }

  /** It has to be gone by then. One that was killed is as good as gone, whatever it still says. */
  killBy(atMs: number): void {
    if (this.state === 'dying') return;
    this.killAtMs = Math.min(this.killAtMs ?? Number.POSITIVE_INFINITY, atMs);
  }

  partOf(chunk: ChunkId): Part | undefined {
    return this.parts.find((part) => part.chunk.spec.chunk === chunk);
  }

  dropPart(part: Part): void {
    const at = this.parts.indexOf(part);
    if (at !== -1) this.parts.splice(at, 1);
  }

  /** When something has to be done about it at the latest; `isHeard`: it is read what it says. */
  nextDeadlineMs(isHeard: boolean): number | undefined {
    let deadline = this.killAtMs ?? Number.POSITIVE_INFINITY;
    if (this.state === 'starting' && isHeard)
      deadline = Math.min(
        deadline,
        (this.hasStarted ? this.initializeByMs : this.startByMs) ?? Number.POSITIVE_INFINITY,
      );
    if (this.mayAge && this.readyAtMs !== undefined) {
      deadline = Math.min(deadline, this.readyAtMs + (this.maxAgeMs ?? Number.POSITIVE_INFINITY));
    }
    for (const part of isHeard ? this.parts : []) {
      const { timeoutMs } = part.chunk.spec;
      if (timeoutMs === undefined || part.timedOut !== undefined || this.state === 'dying') continue;
      // What was aborted has its grace time; nobody looks at how long its items run any more.
      if (part.chunk.abortGraceMs !== undefined) continue;
      for (const startedAt of part.started.values()) deadline = Math.min(deadline, startedAt + timeoutMs);
    }
    return deadline === Number.POSITIVE_INFINITY ? undefined : deadline;
  }
}
