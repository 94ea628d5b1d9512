import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const isSource = /\.(?:[cm]?js|[cm]?ts)$/;

/** The paths of every JavaScript and TypeScript file below a folder, in order, links left out. */
export async function sourcePaths(root: string): Promise<string[]> {
  const entries = await readdir(resolve(root), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && isSource.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
