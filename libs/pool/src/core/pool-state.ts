/** What the parts of the pool machine share: the chunks, the children, and the commands of the step that runs. */
import { ChildRecord } from './child-record.ts';
import type { ChunkEnding, ChunkId } from './chunk.ts';
import { ChunkQueue } from './chunk-queue.ts';
import { ChunkRecord, type Part } from './chunk-record.ts';
import { GroupCaps } from './group-caps.ts';
import type { EndChunk, PoolCommand } from './pool-command.ts';
import type { ChildId, ChunkQueued, KeyTraits } from './pool-event.ts';
import type { PoolMachineLimits } from './pool-limits.ts';
import { TaskRecords } from './task-record.ts';

/** How children went. */
export interface Tally {
  recycled: number;
  deaths: number;
}

export class PoolState {
  readonly limits: PoolMachineLimits;
  /** All that have not ended, waiting or running. */
  readonly chunks: Map<ChunkId, ChunkRecord> = new Map();
  /** Invariant: a chunk is in the queue exactly while it has items to give out and no part. */
  readonly queue: ChunkQueue = new ChunkQueue();
  readonly children: Map<ChildId, ChildRecord> = new Map();
  readonly tasks: TaskRecords = new TaskRecords();
  readonly groupCaps: GroupCaps = new GroupCaps();
  /** No successors for children of a key until then: the last one failed. */
  readonly sparesHeldUntilMs: Map<string, number> = new Map();
  processes: number;
  /** Nothing is given to a child. */
  isHeld = false;
  /** Since when nobody reads what children say; undefined: somebody does. */
  unreadSinceMs: number | undefined;
  /** What was handed in is all that will come. */
  isClosing = false;
  recycled = 0;
  deaths = 0;
  /** The same by key, for as long as somebody asks for its children. */
  readonly tallies: Map<string, Tally> = new Map();
  #commands: PoolCommand[] = [];
  #nextChild = 1;

  constructor(processes: number, limits: PoolMachineLimits) {
    this.processes = processes;
    this.limits = limits;
  }

  command(command: PoolCommand): void {
    this.#commands.push(command);
  }

  /** The commands of this step; the next one begins with none. */
  takeCommands(): PoolCommand[] {
    const commands = this.#commands;
    this.#commands = [];
    return commands;
  }

  /** A child has left as planned, or has died outside our will. */
  countGone(key: string, how: keyof Tally): void {
    const tally = this.tallies.get(key) ?? { recycled: 0, deaths: 0 };
    tally[how] += 1;
    this.tallies.set(key, tally);
    this[how] += 1;
  }

  /** Children that run tasks, or start in order to. Invariant after each step: at most `processes`, unless that shrank. */
  get members(): number {
    let members = 0;
    for (const child of this.children.values()) if (child.isMember) members += 1;
    return members;
  }

  /** `chunk` is what it will probably run; `traits` are what its chunk says, if there is one. */
  spawn(
    key: string,
    chunk: ChunkRecord | undefined,
    isSpare: boolean,
    traits: KeyTraits | undefined = chunk?.spec,
  ): void {
    const child = new ChildRecord(this.#nextChild++, key, isSpare, traits);
    child.lastTask = chunk?.spec.task;
    this.children.set(child.id, child);
    this.command({ type: 'spawnChild', child: child.id, key, chunk: chunk?.spec.chunk });
  }

  addChunk(spec: ChunkQueued): void {
    const chunk = new ChunkRecord(spec, this.tasks.of(spec.task, spec.kind).hasSuspect(spec));
    this.chunks.set(spec.chunk, chunk);
    this.queue.add(chunk);
    if (spec.group !== undefined) this.groupCaps.add(spec.group);
  }

  /** After a part: the chunk is over, or goes on with whoever is free. */
  continueChunk(chunk: ChunkRecord): void {
    if (chunk.abortGraceMs !== undefined) this.endAborted(chunk);
    else if (chunk.todo.size === 0) this.endChunk(chunk, { kind: 'finished' });
    else if (chunk.isRecalled) this.endChunk(chunk, { kind: 'aborted' });
    else this.queue.putBack(chunk);
  }

  /** What has not begun of a chunk is wanted back. Nothing is promised of what runs: it is reported as ever. */
  recall(id: ChunkId): void {
    const chunk = this.chunks.get(id);
    if (chunk === undefined || chunk.abortGraceMs !== undefined || chunk.isRecalled) return;
    chunk.isRecalled = true;
    const { part } = chunk;
    if (part === undefined) this.continueChunk(chunk);
    else this.recallPart(part);
  }

  /** A child is to start no further item of a part. */
  recallPart(part: Part): void {
    if (part.isRecalled) return;
    part.isRecalled = true;
    this.command({
      type: 'abortPart',
      child: part.child.id,
      chunk: part.chunk.spec.chunk,
      reason: 'recalled',
    });
  }

  /** An aborted chunk is over. What began of it may not be free for whoever wants each item run once at most. */
  endAborted(chunk: ChunkRecord): void {
    const started = chunk.unheard.ranges();
    this.endChunk(chunk, { kind: 'aborted', ...(started.length === 0 ? {} : { started }) });
  }

  endChunk(
    chunk: ChunkRecord,
    ending: ChunkEnding,
    reason: { readonly child?: ChildRecord; readonly why?: NonNullable<EndChunk['why']> } = {},
  ): void {
    this.chunks.delete(chunk.spec.chunk);
    this.queue.remove(chunk);
    if (chunk.spec.group !== undefined) this.groupCaps.remove(chunk.spec.group);
    const record = this.tasks.of(chunk.spec.task);
    record.acquit(chunk.spec);
    if (ending.kind === 'childDied' && ending.exit.withItsServer === true) record.lostServer(ending.suspects);
    this.command({
      type: 'endChunk',
      chunk: chunk.spec.chunk,
      ending,
      child: reason.child?.id,
      ...(ending.kind === 'aborted' || reason.why === undefined ? {} : { why: reason.why }),
    });
  }
}
