import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a folder for its owner alone, and those above it that are missing. Throws the system's error.
 *
 * Node's own way tries for ever where the folder above is there and still says ENOENT, as /proc does.
 */
export function makeFolder(path: string): void {
  if (tryToMake(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent);
  if (!tryToMake(path)) mkdirSync(path, { mode: 0o700 });
}

/** False where the folder above is missing. */
function tryToMake(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return false;
    // A disk that is read only, or a folder that is not ours to write into, says something else of one that is there.
    if (code !== 'ENOTDIR' && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return true;
    throw error;
  }
}
