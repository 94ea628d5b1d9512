// Bundles the shoal command for the container image: `.build/image`, plain files that need Node and nothing else.
import { chmodSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { buildChildMain } from './child-script.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const settings: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  conditions: ['@shoal/source'],
  // A program of its own, needed only where task modules are bundled: on the caller's machine.
  external: ['esbuild'],
  legalComments: 'none',
  logLevel: 'warning',
  banner: {
    // CommonJS packages call require for Node's own modules, which a bundle in ESM format has not.
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
};

/** Where the bundles are written unless another folder is named, below the repository's root. The Dockerfile copies it. */
export const imageFolder = '.build/image';

/**
 * Writes shoal.js with the chunks that its verbs load, and one file for each process that it starts (child-main.js).
 *
 * Everything lies in one folder, for the code finds the entry of a child process beside itself. That entry is a
 * single file of its own: children start often, and each file more costs each of them time.
 */
export async function bundle(folder: string = imageFolder): Promise<void> {
  const outdir = join(root, folder);
  rmSync(outdir, { recursive: true, force: true });
  await build({ ...settings, outdir, entryPoints: { shoal: 'libs/shoal/bin/shoal.js' }, splitting: true });
  await build({ ...settings, outdir, entryPoints: globSync('libs/pool/src/*-main.ts', { cwd: root }) });
  await buildChildMain(settings, join(root, 'libs/pool/src'), outdir);
  writeFileSync(join(outdir, 'package.json'), '{ "type": "module" }\n');
  mkdirSync(join(outdir, 'bin'));
  writeFileSync(join(outdir, 'bin/shoal'), '#!/bin/sh\nexec node /opt/shoal/shoal.js "$@"\n');
  chmodSync(join(outdir, 'bin/shoal'), 0o755);
}

if (import.meta.main) await bundle();
