/** The addon of `@shoal/fork-server`: where it lies, whether it can be loaded here, what it offers. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What libs/fork-server/src/addon.c offers to the pool. */
export interface ForkAddon {
  /** Two descriptors, connected with each other. */
  makePair(): [number, number];
  /** Closes descriptors that {@link makePair} has given. */
  closeEnds(fds: readonly number[]): void;
  /**
   * Asks the server at the other end of `control` for a child that gets these descriptors: channel, stderr and, if it is to
   * be read, stdout. Without any it is asked to answer that it `failed`, and makes nothing. False where the server is behind with its orders: to be tried again later. Throws if it is gone.
   */
  sendOrder(control: number, id: number, fds: readonly number[]): boolean;
}

/** The addon, or why there is none, as a part of a sentence. */
export type FoundAddon =
  | { readonly addon: ForkAddon; readonly path: string; readonly why?: undefined }
  | { readonly addon?: undefined; readonly why: string };

/** Looked for once in a process. */
export function forkAddon(): FoundAddon {
  found ??= find();
  return found;
}
let found: FoundAddon | undefined;

function find(): FoundAddon {
  if (process.platform !== 'linux') return { why: `only Linux can, not ${process.platform}` };
  const require = createRequire(import.meta.url);
  const name = `fork-server-${process.platform}-${process.arch}.node`;
  const path = candidates(require, name).find(existsSync);
  if (path === undefined) return { why: 'the fork server was not built on this machine (no C compiler?)' };
  try {
    const addon: unknown = require(path);
    if (isAddon(addon)) return { addon, path };
    return { why: `${name} is of another version` };
  } catch (error) {
    return { why: `${name} cannot be loaded: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** In its package; where everything is one bundle, beside that. */
function candidates(require: NodeJS.Require, name: string): string[] {
  const beside = fileURLToPath(new URL(`./${name}`, import.meta.url));
  try {
    return [join(dirname(require.resolve('@shoal/fork-server/package.json')), 'dist', name), beside];
  } catch {
    return [beside];
  }
}

function isAddon(value: unknown): value is ForkAddon {
  if (typeof value !== 'object' || value === null) return false;
  const { closeEnds, makePair, sendOrder } = value as Record<string, unknown>;
  return [closeEnds, makePair, sendOrder].every((each) => typeof each === 'function');
}
