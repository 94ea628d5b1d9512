/** A pool machine with a clock of its own, and short ways to say what happens to it. */
import type { ChildExit, ChunkId, IndexRange } from './chunk.ts';
import type { PoolCommand } from './pool-command.ts';
import type { ChildId, ChunkQueued, PoolEvent } from './pool-event.ts';
import type { PoolMachineLimits } from './pool-limits.ts';
import { PoolMachine } from './pool-machine.ts';
import type { PoolSnapshot } from './pool-snapshot.ts';

type WithoutTime<T> = T extends unknown ? Omit<T, 'atMs'> : never;

export class TestMachine {
  readonly machine: PoolMachine;
  atMs = 0;

  constructor(processes: number, limits: Partial<PoolMachineLimits> = {}) {
    this.machine = new PoolMachine(processes, limits);
  }

  get snapshot(): PoolSnapshot {
    return this.machine.snapshot();
  }

  step(event: WithoutTime<PoolEvent>): PoolCommand[] {
    return this.machine.step({ ...event, atMs: this.atMs } as PoolEvent);
  }

  /** A chunk of `count` items from `first` on. */
  queue(chunk: ChunkId, count: number, more: Partial<ChunkQueued> = {}): PoolCommand[] {
    const spec = { key: 'k', task: 't', first: 0, marksStarts: false, concurrentTasks: 1, ...more };
    return this.step({ type: 'chunkQueued', chunk, count, ...spec });
  }

  recall(chunk: ChunkId): PoolCommand[] {
    return this.step({ type: 'recallRequested', chunk });
  }

  ready(child: ChildId): PoolCommand[] {
    this.step({ type: 'childStarted', child });
    return this.step({ type: 'childReady', child });
  }

  began(child: ChildId, chunk: ChunkId): PoolCommand[] {
    return this.step({ type: 'partBegan', child, chunk });
  }

  starts(child: ChildId, chunk: ChunkId, index: number): PoolCommand[] {
    return this.step({ type: 'itemStarted', child, chunk, index });
  }

  succeeded(
    child: ChildId,
    chunk: ChunkId,
    first: number,
    count: number = 1,
    runMs: number = count,
  ): PoolCommand[] {
    return this.step({ type: 'itemsSucceeded', child, chunk, first, count, runMs });
  }

  ended(child: ChildId, chunk: ChunkId, next: number, isSpent: boolean = false): PoolCommand[] {
    return this.step({ type: 'partEnded', child, chunk, next, isSpent });
  }

  /** The child runs a whole part: began, all values, ended. */
  runs(child: ChildId, chunk: ChunkId, first: number, count: number, runMs: number = 1_000): PoolCommand[] {
    this.began(child, chunk);
    this.succeeded(child, chunk, first, count, runMs);
    return this.ended(child, chunk, first + count);
  }

  exits(child: ChildId, signal: string | undefined = 'SIGKILL'): PoolCommand[] {
    return this.step({ type: 'childExited', child, exit: exitOf(child, signal) });
  }

  /** It dies with the server that it is a copy of. */
  losesServer(child: ChildId): PoolCommand[] {
    return this.step({ type: 'childExited', child, exit: { ...exitOf(child), withItsServer: true } });
  }

  after(ms: number): PoolCommand[] {
    this.atMs += ms;
    return this.step({ type: 'clockTicked' });
  }
}

export function exitOf(child: ChildId, signal: string | undefined = 'SIGKILL'): ChildExit {
  return { pid: 100 + child, exitCode: signal === undefined ? 0 : undefined, signal };
}

export const spawn = (child: ChildId, chunk: ChunkId, key: string = 'k'): PoolCommand => ({
  type: 'spawnChild',
  child,
  key,
  chunk,
});
export const run = (child: ChildId, chunk: ChunkId, first: number, count: number): PoolCommand => ({
  type: 'runPart',
  child,
  chunk,
  first,
  count,
});
export const retire = (child: ChildId): PoolCommand => ({ type: 'retireChild', child });
export const kill = (child: ChildId): PoolCommand => ({ type: 'killChild', child });
export const finished = (chunk: ChunkId): PoolCommand => ({
  type: 'endChunk',
  chunk,
  ending: { kind: 'finished' },
  child: undefined,
});
export const aborted = (chunk: ChunkId, ...started: readonly IndexRange[]): PoolCommand => ({
  type: 'endChunk',
  chunk,
  ending: { kind: 'aborted', ...(started.length === 0 ? {} : { started }) },
  child: undefined,
});
export const range = (first: number, count: number = 1): IndexRange => ({ first, count });

/** A machine with children 1 … n, ready and idle. */
export function withChildren(n: number): TestMachine {
  const m = new TestMachine(n);
  for (let i = 1; i <= n; i++) m.queue(-i, 1, { task: 'earlier' });
  for (let i = 1; i <= n; i++) m.ready(i);
  for (let i = 1; i <= n; i++) m.runs(i, -i, 0, 1);
  return m;
}
