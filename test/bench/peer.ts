import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TaskName } from './items.ts';

/** How a peer is used. */
export type Mode =
  /** Its map over a list, or one call an item where it has no map. */
  | 'items'
  /** Its user cuts the list into chunks by hand, as many as Python would. */
  | 'chunks'
  /** Its map, one item a chunk. */
  | 'single'
  /** A new process for every task. */
  | 'fresh'
  /** The same in CPython, with its other way of starting processes. */
  | 'freshSpawn'
  /** A new process for every task, copied from one; with the module loaded in that; or as the pool finds better. */
  | 'freshFork'
  | 'freshWarm'
  | 'freshAuto'
  /** Its map over a list, with processes copied from one, or as the pool finds better. */
  | 'itemsFork'
  | 'itemsAuto'
  /** The same with a module that takes 150 ms to load; and with each process started by itself. */
  | 'freshHeavyWarm'
  | 'freshHeavy'
  /** A new process for ten tasks, copied from one. */
  | 'tensFork';

/** One measurement, as the measuring process is told. */
export interface Setting {
  readonly task: TaskName;
  readonly mode: Mode;
  readonly items: number;
  /** Run before, unmeasured. */
  readonly warmUpItems: number;
  /** Waited after that. */
  readonly restMs: number;
  readonly processes: number;
  /** How often `hash` hashes. */
  readonly rounds: number;
  /** What is timed: a map on a warm pool, or a pool's start and its first map. */
  readonly times: 'map' | 'startAndMap';
}

/** A peer that is started and maps. The measuring process times {@link map}. */
export interface Mapper {
  map(items: readonly unknown[]): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

/** Something that can be measured: Shoal, or whom it is compared with. */
export interface Peer {
  /** As in tables; the version is added. */
  readonly name: string;
  /** Whether it is Shoal, whose failure is the run's. */
  readonly isOurs?: true;
  /** Its version, or why it cannot be measured here. */
  find(): { readonly version: string } | { readonly missing: string };
  /** The process that measures: it prints one line of JSON, a `Measurement`. */
  command(setting: Setting): readonly string[];
}

const measure = fileURLToPath(new URL('measure.ts', import.meta.url));

/** A peer in JavaScript: `peers/FILE.ts` exports `start(setting): Promise<Mapper>`. */
export function nodePeer(name: string, file: string, find: Peer['find']): Peer {
  return {
    name,
    find,
    command: (setting) => [process.execPath, ...process.execArgv, measure, file, JSON.stringify(setting)],
  };
}

/** Shoal itself, as one of them. */
export function shoalPeer(name: string, file: string): Peer {
  return { ...nodePeer(name, file, () => packageVersion('shoal')), isOurs: true };
}

/** The version of an npm package, or that it is not installed. */
export function packageVersion(name: string): ReturnType<Peer['find']> {
  const manifest = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  try {
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
    return { version };
  } catch {
    return { missing: `the package ${name} is not installed` };
  }
}

/** Chunks as Python's `Pool.map` cuts them: four a process. */
export function chunksOf<T>(items: readonly T[], processes: number): T[][] {
  const size = Math.max(1, Math.ceil(items.length / (4 * processes)));
  const chunks: T[][] = [];
  for (let from = 0; from < items.length; from += size) chunks.push(items.slice(from, from + size));
  return chunks;
}

/** Where tasks.js lies. */
export const tasksUrl: URL = new URL('tasks.js', import.meta.url);
