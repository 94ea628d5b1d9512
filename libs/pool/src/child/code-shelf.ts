/**
 * Code that one child has made, for all others: in a folder beside Node's compile cache, which is of this version of
 * Node, of its options, and of this user. Where Node keeps none, nothing is kept.
 */
import type { Buffer } from 'node:buffer';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { join } from 'node:path';

/** Who has begun to write so long ago was ended meanwhile. */
const staleMs = 60_000;

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
    const part = `${file}.part`;
    const opened = begin(part);
    // Whoever reads meanwhile sees all of it or nothing.
    if (opened !== undefined && writeWhole(opened, part, data)) renameSync(part, file);
  } catch {
    // Another child tries.
  }
}

/** One writes at a time, under one name: where the disk is full, many would fill what is left of it for good. */
function begin(part: string): number | undefined {
  try {
    return openSync(part, 'wx', 0o600);
  } catch {
    if (Date.now() - statSync(part).mtimeMs > staleMs) unlinkSync(part);
    return undefined;
  }
}

function writeWhole(opened: number, part: string, data: Uint8Array | string): boolean {
  try {
    writeFileSync(opened, data);
    return true;
  } catch {
    unlinkSync(part);
    return false;
  } finally {
    closeSync(opened);
  }
}
