/**
 * A world for the pool machine: children that start, run, fail, die and obey, driven by a list of numbers. Checks as it
 * goes what has to hold at every moment, and at the end that every item is accounted for exactly once.
 */
import { expect } from 'vitest';
import type { ChunkEnding, ChunkId, IndexRange } from './chunk.ts';
import type { PoolCommand } from './pool-command.ts';
import type { ChildId, ChunkQueued, PoolEvent } from './pool-event.ts';
import { PoolMachine } from './pool-machine.ts';

interface SimulatedPart {
  readonly chunk: ChunkId;
  readonly end: number;
  readonly marks: boolean;
  next: number;
  hasBegun: boolean;
  isStopped: boolean;
  /** Started and not reported. */
  running: number | undefined;
}

interface SimulatedChild {
  readonly id: ChildId;
  isReady: boolean;
  isRetiring: boolean;
  isKilled: boolean;
  readonly parts: SimulatedPart[];
  started: number;
  /** The smallest limit among the chunks it was given. */
  limit: number;
}

interface SimulatedChunk {
  readonly spec: ChunkQueued;
  readonly accepted: Set<number>;
  ending: ChunkEnding | undefined;
}

export class PoolSimulation {
  readonly #machine: PoolMachine;
  readonly #processes: number;
  readonly #chunks = new Map<ChunkId, SimulatedChunk>();
  readonly #children = new Map<ChildId, SimulatedChild>();
  #atMs = 0;
  #inHand: IndexRange | undefined;

  /** `isWarm`: one key has children whether there is work or not. */
  constructor(processes: number, isWarm: boolean = false) {
    this.#processes = processes;
    this.#machine = new PoolMachine(processes);
    if (isWarm) this.#step({ type: 'warmRequested', atMs: this.#atMs, key: 'a', count: processes });
  }

  /** Let one thing happen, chosen by a number. */
  act(choice: number): void {
    const kind = choice % 16;
    const detail = Math.floor(choice / 16);
    const child = this.#pick(detail);
    if (kind === 0) this.#queue(detail);
    else if (kind === 1 && detail % 3 === 0) this.#recall(detail);
    else if (kind === 1) this.#abort(detail);
    else if (kind === 2) this.#tick(detail % 3_000);
    else if (child === undefined) this.#queue(detail);
    else if (kind === 3) this.#die(child, detail);
    else this.#progress(child, detail);
    this.#check();
  }

  /** No more faults: everything has to come to its end. */
  finish(): void {
    this.#step({ type: 'closeRequested', atMs: this.#atMs });
    for (let round = 0; !this.#machine.isEmpty; round++) {
      expect(round, 'rounds until everything has ended').toBeLessThan(20_000);
      for (const child of [...this.#children.values()]) this.#progress(child, 1);
      this.#tick(50);
      this.#check();
    }
    for (const chunk of this.#chunks.values()) this.#checkAccounts(chunk);
  }

  #pick(detail: number): SimulatedChild | undefined {
    const all = [...this.#children.values()];
    return all[detail % Math.max(1, all.length)];
  }

  #queue(detail: number): void {
    const chunk = this.#chunks.size + 1;
    const concurrentTasks = detail % 5 === 0 ? 3 : 1;
    const spec: ChunkQueued = {
      type: 'chunkQueued',
      atMs: this.#atMs,
      chunk,
      key: detail % 3 === 0 ? 'a' : 'b',
      task: `t${detail % 2}`,
      first: (detail % 7) * 10,
      count: 1 + (detail % 6),
      marksStarts: concurrentTasks > 1 || detail % 4 === 0,
      concurrentTasks,
      // Of one of the two a single child may be busy.
      group: { id: detail % 3 === 0 ? 'a' : 'b', slots: detail % 3 === 0 ? 1 : undefined, order: chunk },
      ...(detail % 2 === 0 ? { maxTasksPerChild: 1 + (detail % 4) } : {}),
    };
    const timeout = spec.marksStarts && detail % 8 === 0 ? { timeoutMs: 500 } : {};
    this.#chunks.set(chunk, { spec: { ...spec, ...timeout }, accepted: new Set(), ending: undefined });
    this.#step({ ...spec, ...timeout });
  }

  #abort(detail: number): void {
    const chunk = 1 + (detail % Math.max(1, this.#chunks.size));
    this.#step({ type: 'abortRequested', atMs: this.#atMs, chunk, graceMs: detail % 1_000 });
  }

  #recall(detail: number): void {
    const chunk = 1 + (detail % Math.max(1, this.#chunks.size));
    this.#step({ type: 'recallRequested', atMs: this.#atMs, chunk });
  }

  #tick(ms: number): void {
    this.#atMs += ms;
    this.#step({ type: 'clockTicked', atMs: this.#atMs });
  }

  #die(child: SimulatedChild, detail: number): void {
    const at = { atMs: this.#atMs, child: child.id };
    if (detail % 2 === 0 && !child.isKilled) {
      const running = child.parts.flatMap(({ chunk, running }) =>
        running === undefined ? [] : [{ chunk, index: running }],
      );
      this.#step({ type: 'childExiting', ...at, running });
    }
    this.#exit(child);
  }

  #exit(child: SimulatedChild): void {
    this.#children.delete(child.id);
    const exit = { pid: child.id, exitCode: 1, signal: undefined };
    this.#step({ type: 'childExited', atMs: this.#atMs, child: child.id, exit });
  }

  /** The child does the next thing that a child would do. */
  #progress(child: SimulatedChild, detail: number): void {
    const at = { atMs: this.#atMs, child: child.id };
    if (child.isKilled || (child.isRetiring && child.parts.length === 0)) {
      this.#exit(child);
      return;
    }
    if (!child.isReady) {
      child.isReady = true;
      this.#step({ type: 'childStarted', ...at });
      this.#step({ type: 'childReady', ...at });
      return;
    }
    const part =
      child.parts[detail % 2 === 0 ? 0 : child.parts.findIndex((p) => p.hasBegun)] ?? child.parts[0];
    if (part !== undefined) this.#progressPart(child, part, detail);
  }

  #progressPart(child: SimulatedChild, part: SimulatedPart, detail: number): void {
    const at = { atMs: this.#atMs, child: child.id, chunk: part.chunk };
    if (part.running !== undefined) {
      const index = part.running;
      part.running = undefined;
      this.#inHand = { first: index, count: 1 };
      if (detail % 3 === 0) this.#step({ type: 'itemFailed', ...at, index });
      else this.#step({ type: 'itemsSucceeded', ...at, first: index, count: 1, runMs: detail % 30 });
      this.#inHand = undefined;
      return;
    }
    if (part.next >= part.end || part.isStopped) {
      child.parts.splice(child.parts.indexOf(part), 1);
      this.#step({ type: 'partEnded', ...at, next: part.next, isSpent: false });
      return;
    }
    if (!part.hasBegun) {
      // Parts begin in the order in which they were given.
      if (child.parts.find((other) => !other.hasBegun) !== part) return;
      if (!part.marks && child.parts.some((other) => other !== part && other.hasBegun)) return;
      part.hasBegun = true;
      this.#step({ type: 'partBegan', ...at });
      return;
    }
    part.running = part.next;
    part.next += 1;
    child.started += 1;
    expect(child.started, `tasks of child ${child.id}`).toBeLessThanOrEqual(child.limit);
    if (part.marks) this.#step({ type: 'itemStarted', ...at, index: part.running });
  }

  #step(event: PoolEvent): void {
    for (const command of this.#machine.step(event)) this.#execute(command);
  }

  #execute(command: PoolCommand): void {
    switch (command.type) {
      case 'spawnChild':
        this.#children.set(command.child, {
          id: command.child,
          isReady: false,
          isRetiring: false,
          isKilled: false,
          parts: [],
          started: 0,
          limit: Number.POSITIVE_INFINITY,
        });
        return;
      case 'runPart':
        this.#runPart(command);
        return;
      case 'endChunk': {
        const chunk = this.#chunks.get(command.chunk) as SimulatedChunk;
        expect(chunk.ending, `endings of chunk ${command.chunk}`).toBeUndefined();
        chunk.ending = command.ending;
        return;
      }
      case 'acceptValues':
      case 'acceptFailure': {
        const { accepted, ending } = this.#chunks.get(command.chunk) as SimulatedChunk;
        const { first } = this.#inHand as IndexRange;
        expect(ending).toBeUndefined();
        expect(accepted.has(first), `item ${first} was accepted before`).toBe(false);
        accepted.add(first);
        return;
      }
    }
    const child = this.#children.get(command.child);
    if (child === undefined) return;
    if (command.type === 'killChild') child.isKilled = true;
    if (command.type === 'retireChild') {
      expect(child.parts).toEqual([]);
      child.isRetiring = true;
    }
    for (const part of child.parts) {
      if (command.type === 'stopChild' || (command.type === 'abortPart' && part.chunk === command.chunk)) {
        part.isStopped = true;
      }
    }
  }

  #runPart({ child: id, chunk, first, count }: Extract<PoolCommand, { type: 'runPart' }>): void {
    const child = this.#children.get(id) as SimulatedChild;
    const { spec } = this.#chunks.get(chunk) as SimulatedChunk;
    expect(child.isReady && !child.isRetiring && !child.isKilled, `child ${id} can take work`).toBe(true);
    child.limit = Math.min(child.limit, spec.maxTasksPerChild ?? Number.POSITIVE_INFINITY);
    const marks = spec.marksStarts;
    child.parts.push({
      chunk,
      end: first + count,
      marks,
      next: first,
      hasBegun: false,
      isStopped: false,
      running: undefined,
    });
  }

  #check(): void {
    const working = [...this.#children.values()].filter((child) => !child.isKilled && child.parts.length > 0);
    expect(working.length, 'children with work').toBeLessThanOrEqual(this.#processes);
    const ofCapped = [...this.#children.values()].filter(({ parts }) =>
      parts.some(({ chunk }) => this.#chunks.get(chunk)?.spec.key === 'a'),
    );
    expect(ofCapped.length, 'children with work of the group that may use one').toBeLessThanOrEqual(1);
    const alive = [...this.#children.values()].filter((child) => !child.isKilled && !child.isRetiring);
    expect(alive.length, 'children and their successors').toBeLessThanOrEqual(2 * this.#processes);
  }

  /** Every item has exactly one fate. */
  #checkAccounts({ spec, accepted, ending }: SimulatedChunk): void {
    expect(ending, `ending of chunk ${spec.chunk}`).toBeDefined();
    const fates = [...accepted];
    const addAll = (ranges: readonly IndexRange[]): void => {
      for (const { first, count } of ranges) for (let i = 0; i < count; i++) fates.push(first + i);
    };
    if (ending?.kind === 'childDied') {
      addAll(ending.suspects);
      addAll(ending.unstarted);
    } else if (ending?.kind === 'timedOut') {
      fates.push(ending.index);
      addAll(ending.unstarted);
    } else if (ending?.kind !== 'finished') return;
    const all = Array.from({ length: spec.count }, (_, i) => spec.first + i);
    expect(fates.sort((a, b) => a - b)).toEqual(all);
  }
}
