/** A fork server and who came of it, and whether another one that has linked what they load would pay. */
import type { ForkServer } from './fork-server.ts';
import type { ForkedChild } from './forked-child.ts';

/** A server takes as much CPU as a hundred children save by what it has linked. */
const unlinkedMax = 64;
/** One that was begun so shortly ago is begun anew without much lost. */
const begunMs = 100;
/** One key may have many tasks. */
const linksMax = 8;

export interface Family {
  readonly server: ForkServer;
  readonly startedAtMs: number;
  /** The URLs of what it has linked or runs for its children; more is not to be linked. */
  readonly links: readonly string[];
  /** How many came of it that load something else. */
  unlinked: number;
  /** Whom it has been asked for, or will be once it is ready, by the number of the order. */
  readonly asked: Map<number, ForkedChild>;
  readonly living: Map<number, ForkedChild>;
  readonly waiting: ForkedChild[];
  nextOrder: number;
  idleTimer: NodeJS.Timeout | undefined;
}

export function isIdle({ asked, living, waiting }: Family): boolean {
  return asked.size === 0 && living.size === 0 && waiting.length === 0;
}

/**
 * One more child will come of it that loads these modules. What another server in its place is to link, and whether this
 * one is not worth waiting for; undefined where it does well.
 */
export function betterLinks(
  family: Family,
  modules: readonly string[],
  nowMs: number,
): { readonly links: readonly string[]; readonly isBegun: boolean } | undefined {
  if (modules.every((url) => family.links.includes(url))) return undefined;
  family.unlinked += 1;
  const links = [...new Set([...family.links, ...modules])];
  if (links.length > linksMax) return undefined;
  // A pool that was made a moment before its first job.
  const isBegun = family.links.length === 0 && !family.server.isReady && nowMs - family.startedAtMs < begunMs;
  return isBegun || family.unlinked === unlinkedMax ? { links, isBegun } : undefined;
}
