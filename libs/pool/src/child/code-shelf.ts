/**
 * Code that one child has made, for all others: in a folder beside Node's compile cache, which is of this version of
 * Node, of its options, and of this user. Where Node keeps none, nothing is kept.
 */
import type { Buffer } from 'node:buffer';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { join } from 'node:path';

/** Undefined where it is not there, or may not be read. */
export function readShelf(name: string): Buffer | undefined {
  const folder = getCompileCacheDir();
  if (folder === undefined) return undefined;
  try {
    return readFileSync(join(folder, 'shoal', name));
  } catch {
    return undefined;
  }
}

/** What cannot be written is made again next time. */
export function writeShelf(name: string, data: Uint8Array | string): void {
  const folder = getCompileCacheDir();
  if (folder === undefined) return;
  try {
    const shelf = join(folder, 'shoal');
    // Node has made the folder above. (Making all of them that are missing never ends where /proc is among them.)
    if (!existsSync(shelf)) mkdirSync(shelf, { mode: 0o700 });
    const file = join(shelf, name);
    // Whoever reads meanwhile sees all of it or nothing.
    writeFileSync(`${file}.${process.pid}`, data, { mode: 0o600 });
    renameSync(`${file}.${process.pid}`, file);
  } catch {
    // Another child tries.
  }
}
