import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';

/**
 * The scheme of source files in a bundle's source map, and so in the stack traces of remote errors.
 * A bundle says nothing about the caller's disk; the caller turns these back into paths of its own.
 */
export const sourceScheme: string = 'shoal-bundle:/';

/**
 * The folder that the modules of a bundle believe to live in. A `file:` URL, although nothing is there: modules
 * call `fileURLToPath` and `createRequire` on their `import.meta.url` while they load, and both refuse other schemes.
 */
export const imaginaryFolder: string = '/shoal-bundle/';

/** Whether a folder is where a project begins: the root of a workspace or of a repository. */
function isWorkspaceRoot(folder: string): boolean {
  if (existsSync(join(folder, '.git')) || existsSync(join(folder, 'pnpm-workspace.yaml'))) return true;
  try {
    return readFileSync(join(folder, 'package.json'), 'utf8').includes('"workspaces"');
  } catch {
    return false;
  }
}

/**
 * The folder that a bundle's paths are relative to: the workspace or repository around the module, else the nearest
 * package, else the module's own folder.
 */
export function projectRoot(file: string): string {
  let packageFolder: string | undefined;
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (isWorkspaceRoot(folder)) return folder;
    if (packageFolder === undefined && existsSync(join(folder, 'package.json'))) packageFolder = folder;
    if (folder === dirname(folder)) return packageFolder ?? dirname(file);
  }
}

/** A file as a bundle calls it: relative to the root, with slashes; a file outside gets a name that tells no folders. */
export function bundlePath(root: string, file: string): string {
  const path = relative(root, file).split(sep).join('/');
  if (!path.startsWith('../')) return path;
  const packages = path.lastIndexOf('node_modules/');
  const kept = packages >= 0 ? path.slice(packages) : basename(path);
  return `outside/${createHash('sha256').update(path).digest('hex').slice(0, 8)}/${kept}`;
}

/** The `import.meta.url` of a module inside a bundle. */
export function moduleUrl(path: string): string {
  return new URL(encodeURI(path), `file://${imaginaryFolder}`).href;
}

/** The `import.meta.filename` of a module inside a bundle. */
export function modulePath(path: string): string {
  return `${imaginaryFolder}${path}`;
}
