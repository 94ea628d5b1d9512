/**
 * Compiles the fork server, where that can be: `libs/fork-server/dist/fork-server-linux-x64.node`. Without a compiler, and
 * on other systems, it says so and is content: children are spawned then (docs/fork-server.md).
 */
import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../libs/fork-server/', import.meta.url));
const target = join(folder, 'dist', `fork-server-${process.platform}-${process.arch}.node`);

/** Warnings are errors: what the compiler doubts, a reader would. */
const flags =
  '-std=gnu11 -O2 -g -fPIC -shared -fvisibility=hidden -Wall -Wextra -Werror -Wl,-z,relro,-z,now'.split(' ');

/** Why there is nothing to be compiled or nobody to do it; undefined where it was done. */
function buildAddon(): string | undefined {
  if (process.platform !== 'linux') return `there is none for ${process.platform}`;
  if (process.arch !== 'x64' && process.arch !== 'arm64') return `there is none for ${process.arch}`;
  const headers = headersFolder();
  if (headers === undefined) return 'node-api-headers is not installed';
  const sources = ['src/addon.c', 'src/server.c'];
  if (isNewer(target, globSync('src/*.{c,h}', { cwd: folder }))) return undefined;
  // CC may hold options too, as for make.
  const [compiler = 'cc', ...own] = (process.env['CC'] ?? '').split(/\s+/).filter((word) => word !== '');
  const partial = `${target}.${process.pid}`;
  mkdirSync(dirname(target), { recursive: true });
  const { error, status, stderr } = spawnSync(
    compiler,
    [...own, ...flags, '-I', headers, ...sources, '-o', partial],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  );
  if (error !== undefined) return `there is no compiler (${compiler})`;
  if (status !== 0) {
    rmSync(partial, { force: true });
    return `${compiler} does not compile it:\n${stderr}`;
  }
  if (statSync(partial, { throwIfNoEntry: false }) === undefined) return `${compiler} has compiled nothing`;
  // In one step, for a process may be loading it.
  renameSync(partial, target);
  return undefined;
}

function headersFolder(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve('node-api-headers/package.json');
    return join(dirname(manifest), 'include');
  } catch {
    return undefined;
  }
}

function isNewer(file: string, sources: readonly string[]): boolean {
  const made = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return sources.every((source) => statSync(join(folder, source)).mtimeMs < made);
}

const why = buildAddon();
if (why !== undefined) {
  rmSync(target, { force: true });
  console.log(`The fork server is not built: ${why}. Children are spawned.`);
}
