/** What every way of starting a Node process needs: where our programs lie, the compile cache, killing a group. */
import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolder } from '@shoal/folders';

/** The environment variable that tells Node where compiled code is kept; removed again inside the child. */
const compileCacheVariable = 'NODE_COMPILE_CACHE';

/** `otherwise` is called where there is no such group: it is gone, or this system has none. */
export function killGroup(pid: number, otherwise?: () => void): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    otherwise?.();
  }
}

/** Our programs lie beside the folder of this module; in a bundle, beside the bundle. */
export function programPath(name: 'child-main' | 'lone-child-main' | 'fork-main'): string {
  const known = paths.get(name);
  if (known !== undefined) return known;
  const extension = extname(fileURLToPath(import.meta.url));
  const near = new URL(`../${name}${extension}`, import.meta.url);
  const beside = new URL(`./${name}.js`, import.meta.url);
  const path = fileURLToPath(isFile(near) ? near : beside);
  paths.set(name, path);
  return path;
}
const paths = new Map<string, string>();

export function isFile(file: URL | string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

/**
 * Compiled code is kept between children: it halves the start of a TypeScript module. The folder is the user's own,
 * for whoever can write there decides what his children run. The user's own setting wins.
 */
export function withCompileCache(env: Readonly<Record<string, string>>): Record<string, string> {
  if (env[compileCacheVariable] !== undefined || env['NODE_DISABLE_COMPILE_CACHE'] !== undefined)
    return { ...env };
  compileCache ??= prepareCompileCache();
  if (compileCache === '') return { ...env };
  return { ...env, [compileCacheVariable]: compileCache, SHOAL_OWN_COMPILE_CACHE: '1' };
}
let compileCache: string | undefined;

/** The folder, or nothing where there can be none. */
function prepareCompileCache(): string {
  const caches = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const folder = join(caches, 'shoal', 'compile');
  try {
    makeFolder(folder);
    const { mode, uid } = statSync(folder);
    const isPrivate = process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
    return isPrivate ? folder : '';
  } catch {
    return '';
  }
}
