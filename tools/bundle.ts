// Bundles the shoal command for the container image: `.build/image`, plain files that need Node and nothing else.
import { chmodSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Where the bundles are written, below the repository's root. The Dockerfile copies this folder. */
export const imageFolder = '.build/image';

/**
 * Writes shoal.js, one file for every process it starts (child-main.js, …) and the chunks they share.
 *
 * Everything lies in one folder, for the code finds the entry of a child process beside itself.
 * esbuild stays outside: it is a program of its own, needed only where task modules are bundled, on the caller's side.
 */
export async function bundle(): Promise<void> {
  const outdir = join(root, imageFolder);
  rmSync(outdir, { recursive: true, force: true });
  const processes = globSync('libs/*/src/*-main.ts', { cwd: root });
  await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries([
      ['shoal', 'libs/shoal/bin/shoal.js'],
      ...processes.map((file) => [basename(file, '.ts'), file]),
    ]),
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    conditions: ['@shoal/source'],
    external: ['esbuild'],
    legalComments: 'none',
    logLevel: 'warning',
    // CommonJS packages call require for Node's own modules, which a bundle in ESM format has not.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
  writeFileSync(join(outdir, 'package.json'), '{ "type": "module" }\n');
  mkdirSync(join(outdir, 'bin'));
  writeFileSync(join(outdir, 'bin/shoal'), '#!/bin/sh\nexec node /opt/shoal/shoal.js "$@"\n');
  chmodSync(join(outdir, 'bin/shoal'), 0o755);
}

if (import.meta.main) await bundle();
