import type { PoolCommand, PoolEvent } from '@shoal/pool/core';
import type { Clock } from './clock.ts';
import { type Execution, errorOf, type TriedItem } from './execution.ts';
import type { Behaviour, JobPlan } from './scenario.ts';

/** A chunk as its children need it. */
export interface ChunkWork {
  readonly chunk: number;
  readonly attempt: number;
  readonly epoch: number;
  readonly job: JobPlan;
  /** The arguments that the blocks hold, by index. */
  readonly argumentOf: (index: number) => { readonly job: string; readonly index: number };
  readonly marksStarts: boolean;
  readonly maxTasksPerChild: number;
}

/** The bytes of an event: numbers of executions that gave values, or what was thrown. */
export type InHand = { readonly values: readonly number[] } | { readonly tried: TriedItem } | undefined;

export type Untimed<E> = E extends { readonly atMs: number } ? Omit<E, 'atMs'> : never;

/** What children need of the world. */
export interface ChildWorld {
  readonly clock: Clock;
  /** A number from 0 to 1 that belongs to this call of the function. */
  readonly chance: () => number;
  readonly begin: (work: ChunkWork, index: number, child: number) => Execution;
  readonly end: (execution: Execution, outcome: Execution['outcome']) => void;
  /** Nobody heard what came of it, for its child was killed because another call in it took too long. */
  readonly cutShort: (execution: Execution) => void;
  /** How often an item was begun before. */
  readonly earlierStarts: (job: string, index: number) => number;
  /** There are so many processes now. */
  readonly crowded: (processes: number) => void;
}

interface Running {
  readonly index: number;
  readonly execution: Execution;
}

interface Part {
  readonly work: ChunkWork;
  readonly end: number;
  next: number;
  hasBegun: boolean;
  isStopped: boolean;
  readonly running: Map<number, Running>;
  /** Values that wait for the next frame: none where starts are marked. */
  pending: { index: number; execution: Execution; ms: number }[];
}

/** From the birth of a process to its first word, and to the end of its initializer. */
const bootMs = 35;
const initializerMs = 4;
/** What an initializer may take. */
const initializerMsMax = 3_000;
const flushMs = 5;
/** From a kill to the exit that the parent sees. */
const exitMs = 1;

/** One simulated process: it runs parts in order, and says what a real child would say. */
class Child {
  readonly pid: number;
  readonly id: number;
  isGone = false;
  isReady = false;
  isRetiring = false;
  isStopped = false;
  /** What ran too long in it, as its pool says. */
  timedOut: { readonly chunk: number; readonly index: number | undefined } | undefined;
  parts: Part[] = [];

  constructor(id: number, pid: number) {
    this.id = id;
    this.pid = pid;
  }
}

/** The children of one agent. */
export class ChildHost {
  readonly #world: ChildWorld;
  readonly #slowness: number;
  readonly #tell: (event: Untimed<PoolEvent>, inHand: InHand) => void;
  readonly #children: Map<number, Child> = new Map();
  #told: Array<() => void> = [];
  #isPaused = false;

  constructor(
    world: ChildWorld,
    slowness: number,
    tell: (event: Untimed<PoolEvent>, inHand: InHand) => void,
  ) {
    this.#world = world;
    this.#slowness = slowness;
    this.#tell = tell;
  }

  /** Processes that live. */
  get count(): number {
    return this.#children.size;
  }

  /** Calls that run now. */
  running(): Execution[] {
    const all: Execution[] = [];
    for (const { parts } of this.#children.values()) {
      for (const { running } of parts) for (const { execution } of running.values()) all.push(execution);
    }
    return all;
  }

  /** A process for work of this job. */
  spawn(id: number, job: JobPlan): void {
    const child = new Child(id, 1000 + id);
    this.#children.set(id, child);
    this.#world.crowded(this.#children.size);
    this.#later(child, bootMs, () => {
      this.#say({ type: 'childStarted', child: id, initializerMs: initializerMsMax });
      this.#later(child, initializerMs, () => {
        if (job.code === 'initializerHangs') return;
        if (job.code === 'initializerThrows') {
          this.#say({ type: 'initializerThrew', child: id });
          this.#later(child, exitMs, () => this.#exit(child, 1, undefined, 'died'));
          return;
        }
        child.isReady = true;
        this.#say({ type: 'childReady', child: id });
      });
    });
  }

  run({ child: id, first, count }: Extract<PoolCommand, { type: 'runPart' }>, work: ChunkWork): void {
    const child = this.#children.get(id);
    if (child === undefined) return;
    const part: Part = {
      work,
      end: first + count,
      next: first,
      hasBegun: false,
      isStopped: false,
      running: new Map(),
      pending: [],
    };
    child.parts.push(part);
    this.#later(child, 0.1, () => this.#go(child));
  }

  abort({ child: id, chunk, reason, index }: Extract<PoolCommand, { type: 'abortPart' }>): void {
    const child = this.#children.get(id);
    if (child === undefined) return;
    // It dies for that also where it is with its next part already, and the pool has not read so.
    if (reason === 'timedOut') child.timedOut = { chunk, index };
    const part = child.parts.find(({ work }) => work.chunk === chunk);
    if (part === undefined) return;
    part.isStopped = true;
    this.#later(child, 0.1, () => {
      // A cooperative function ends at its signal: half of them do.
      for (const { execution, index: at } of [...part.running.values()]) {
        const hears =
          reason === 'aborted' || (reason === 'timedOut' && (index === undefined || at === index));
        const isHung = part.work.job.behaviours.get(at)?.kind === 'hangs';
        if (hears && !isHung && execution.id % 2 === 0) this.#threw(child, part, at);
      }
      this.#go(child);
    });
  }

  stop(id: number): void {
    const child = this.#children.get(id);
    if (child === undefined) return;
    for (const part of child.parts) part.isStopped = true;
    this.#later(child, 0.1, () => this.#go(child));
  }

  retire(id: number): void {
    const child = this.#children.get(id);
    if (child === undefined) return;
    child.isRetiring = true;
    this.#later(child, 2, () => this.#exit(child, 0, undefined, 'killed'));
  }

  kill(id: number): void {
    const child = this.#children.get(id);
    if (child !== undefined)
      this.#later(child, exitMs, () => this.#exit(child, undefined, 'SIGKILL', 'killed'));
  }

  /** Somebody else kills one of them. */
  killOne(which: number): boolean {
    // Children that die before they are ready say something about their program, which is fine here.
    const all = [...this.#children.values()].filter(({ isReady }) => isReady);
    const child = all[which % Math.max(1, all.length)];
    if (child === undefined) return false;
    this.#exit(child, undefined, 'SIGKILL', 'died');
    return true;
  }

  /** The agent is gone, and its reaper takes the children along. */
  killAll(): void {
    for (const child of [...this.#children.values()]) {
      child.isGone = true;
      this.#cutOff(child, 'killed');
    }
    this.#children.clear();
    this.#told = [];
    this.#isPaused = false;
  }

  /** Their pipes are not read. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
    if (isPaused) return;
    const told = this.#told;
    this.#told = [];
    for (const tell of told) tell();
  }

  #later(child: Child, ms: number, act: () => void): void {
    this.#world.clock.after(ms * this.#slowness, () => {
      if (!child.isGone) act();
    });
  }

  #say(event: Untimed<PoolEvent>, inHand?: InHand): void {
    if (this.#isPaused) this.#told.push(() => this.#say(event, inHand));
    else this.#tell(event, inHand);
  }

  /** Does whatever can be done next. */
  #go(child: Child): void {
    const part = child.parts[0];
    if (part === undefined || !child.isReady || child.isGone) return;
    const { work } = part;
    if (!part.hasBegun) {
      if (work.job.code === 'cannotBeLoaded') {
        child.parts.shift();
        this.#say({ type: 'taskUnloadable', child: child.id, chunk: work.chunk });
        this.#go(child);
        return;
      }
      part.hasBegun = true;
      this.#say({ type: 'partBegan', child: child.id, chunk: work.chunk });
    }
    const atOnce = work.job.concurrentTasks;
    while (part.running.size < atOnce && part.next < part.end && !part.isStopped && !child.isGone) {
      this.#start(child, part, part.next++);
    }
    if (part.running.size > 0 || (part.next < part.end && !part.isStopped) || child.isGone) return;
    this.#flush(child, part);
    child.parts.shift();
    this.#say({ type: 'partEnded', child: child.id, chunk: work.chunk, next: part.next, isSpent: false });
    this.#go(child);
  }

  #start(child: Child, part: Part, index: number): void {
    const { work } = part;
    const argument = work.argumentOf(index);
    const behaviour = work.job.behaviours.get(argument.index);
    const earlier = this.#world.earlierStarts(argument.job, argument.index);
    const execution = this.#world.begin(work, index, child.id);
    part.running.set(index, { index, execution });
    if (work.marksStarts) this.#say({ type: 'itemStarted', child: child.id, chunk: work.chunk, index });
    const ms = work.job.itemMs * (0.5 + this.#world.chance()) * factorOf(behaviour);
    this.#later(child, ms, () => {
      // A cooperative one may have ended at its signal.
      if (part.running.get(index)?.execution === execution)
        this.#ends(child, part, index, behaviour, earlier, ms);
    });
  }

  #ends(
    child: Child,
    part: Part,
    index: number,
    behaviour: Behaviour | undefined,
    earlier: number,
    ms: number,
  ): void {
    const { work } = part;
    switch (behaviour?.kind) {
      case 'hangs':
        return;
      case 'poison': {
        if (behaviour.how === 'signal') this.#exit(child, undefined, 'SIGSEGV', 'died');
        else {
          this.#flush(child, part);
          const running = [...part.running.keys()].map((each) => ({ chunk: work.chunk, index: each }));
          this.#say({ type: 'childExiting', child: child.id, running });
          this.#exit(child, 3, undefined, 'died');
        }
        return;
      }
      case 'throws':
        this.#threw(child, part, index);
        break;
      case 'throwsFirst':
        if (earlier < behaviour.times) this.#threw(child, part, index);
        else this.#gave(child, part, index, ms);
        break;
      default:
        this.#gave(child, part, index, ms);
    }
    this.#go(child);
  }

  #gave(child: Child, part: Part, index: number, ms: number): void {
    const running = part.running.get(index);
    if (running === undefined) return;
    part.running.delete(index);
    this.#world.end(running.execution, 'value');
    part.pending.push({ index, execution: running.execution, ms });
    // As in the real child: values that leave together would share the fate of one that ran too long.
    if (part.work.marksStarts) this.#flush(child, part);
    else if (part.pending.length === 1)
      this.#later(child, flushMs / this.#slowness, () => this.#flush(child, part));
  }

  #threw(child: Child, part: Part, index: number): void {
    const running = part.running.get(index);
    if (running === undefined) return;
    part.running.delete(index);
    this.#world.end(running.execution, 'threw');
    this.#flush(child, part);
    const { job, chunk } = part.work;
    const behaviour = job.behaviours.get(index);
    const retryable = behaviour?.kind === 'throws' ? behaviour.retryable : true;
    const tried: TriedItem = {
      index,
      kind: 'thrown',
      retryable,
      pid: child.pid,
      error: errorOf(running.execution.id, job.errorBytes),
    };
    this.#say({ type: 'itemFailed', child: child.id, chunk, index }, { tried });
  }

  /** Values leave together: those of neighbours in one frame. */
  #flush(child: Child, part: Part): void {
    if (part.pending.length === 0) return;
    const pending = part.pending.sort((a, b) => a.index - b.index);
    part.pending = [];
    let from = 0;
    for (let at = 1; at <= pending.length; at += 1) {
      const before = pending[at - 1];
      if (before !== undefined && pending[at]?.index === before.index + 1) continue;
      const run = pending.slice(from, at);
      from = at;
      this.#say(
        {
          type: 'itemsSucceeded',
          child: child.id,
          chunk: part.work.chunk,
          first: run[0]?.index ?? 0,
          count: run.length,
          runMs: run.reduce((sum, { ms }) => sum + ms, 0),
        },
        { values: run.map(({ execution }) => execution.id) },
      );
    }
  }

  #exit(
    child: Child,
    exitCode: number | undefined,
    signal: string | undefined,
    outcome: 'died' | 'killed',
  ): void {
    if (child.isGone) return;
    child.isGone = true;
    this.#children.delete(child.id);
    this.#cutOff(child, outcome);
    this.#say({ type: 'childExited', child: child.id, exit: { pid: child.pid, exitCode, signal } });
  }

  #cutOff(child: Child, outcome: 'died' | 'killed'): void {
    const { timedOut } = child;
    for (const { pending, running, work } of child.parts) {
      const isCut = (index: number): boolean =>
        outcome === 'killed' &&
        timedOut !== undefined &&
        (work.chunk !== timedOut.chunk || index !== timedOut.index);
      for (const { execution, index } of running.values()) {
        this.#world.end(execution, outcome);
        if (isCut(index)) this.#world.cutShort(execution);
      }
      for (const { execution, index } of pending) {
        execution.isUnseen = outcome === 'died';
        if (isCut(index)) this.#world.cutShort(execution);
      }
    }
    child.parts = [];
  }
}

function factorOf(behaviour: Behaviour | undefined): number {
  return behaviour?.kind === 'slow' ? behaviour.factor : 1;
}
