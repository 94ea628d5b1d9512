import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { SourceFile } from './census.ts';

const isSource = /\.(?:[cm]?js|[cm]?ts)$/;

/** The paths of every JavaScript and TypeScript file below a folder, in order, links left out. */
export async function sourcePaths(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && isSource.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

/** Reads the files one by one, as somebody asks for them: thousands of them never lie in memory together. */
export function* readSources(root: string, paths: readonly string[]): Generator<SourceFile, void, undefined> {
  for (const path of paths) yield { path, text: readFileSync(join(root, path), 'utf8') };
}
