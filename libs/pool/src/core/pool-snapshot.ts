/** What the machine knows, for statistics and tests. */
import type { ChildRecord } from './child-record.ts';
import type { ChildId } from './pool-event.ts';
import type { PoolState, Tally } from './pool-state.ts';

/** One child in a {@link PoolSnapshot}. */
export interface ChildSnapshot {
  readonly child: ChildId;
  readonly state: 'starting' | 'idle' | 'busy' | 'retiring';
  /** Calls of task functions that it started, as far as is known. */
  readonly tasksRun: number;
  readonly isSpare: boolean;
}

export interface PoolSnapshot {
  readonly children: readonly ChildSnapshot[];
  readonly recycled: number;
  readonly deaths: number;
  /** The same by key, but for keys that were released. */
  readonly tallies: ReadonlyMap<string, Readonly<Tally>>;
  readonly queuedItems: number;
  readonly runningItems: number;
  readonly chunks: number;
}

export function snapshotOf({ children, chunks, recycled, deaths, tallies }: PoolState): PoolSnapshot {
  let queuedItems = 0;
  let runningItems = 0;
  for (const chunk of chunks.values()) {
    queuedItems += chunk.todo.size;
    runningItems += chunk.part?.open.size ?? 0;
  }
  return {
    children: [...children.values()].map(childSnapshot),
    recycled,
    deaths,
    tallies,
    queuedItems,
    runningItems,
    chunks: chunks.size,
  };
}

function childSnapshot(child: ChildRecord): ChildSnapshot {
  const open = child.load;
  const running = child.parts.some((part) => part.hasBegun && part.open.size > 0) ? 1 : 0;
  const isLeaving = child.state === 'retiring' || child.state === 'dying';
  const working = open > 0 ? 'busy' : 'idle';
  return {
    child: child.id,
    state: isLeaving ? 'retiring' : child.state === 'starting' ? 'starting' : working,
    tasksRun: child.tasksGiven - open + running,
    isSpare: child.isSpare,
  };
}
