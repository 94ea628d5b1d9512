import { availableParallelism, cpus, loadavg } from 'node:os';
import { commitOf } from './commit.ts';

/** Where and how figures were measured: a figure without it means nothing. */
export interface Machine {
  readonly date: string;
  /** Of the sources. */
  readonly commit: string;
  readonly cpu: string;
  readonly cpus: number;
  readonly node: string;
  readonly processes: number;
  readonly runs: number;
  readonly small: boolean;
  /** Of the last minute: what else ran here. */
  readonly loadBefore: number;
  readonly loadAfter: number;
}

/** How many others wanted a CPU in the last minute, on average. */
export const load = (): number => Number((loadavg()[0] ?? Number.NaN).toFixed(1));

/** Looks around. */
export function machineNow(given: Pick<Machine, 'processes' | 'runs' | 'small' | 'loadBefore'>): Machine {
  return {
    date: new Date().toISOString(),
    commit: commitOf(import.meta.dirname),
    cpu: cpus()[0]?.model ?? 'unknown CPU',
    cpus: availableParallelism(),
    node: process.versions.node,
    ...given,
    loadAfter: load(),
  };
}
