/**
 * Writes the JavaScript of the packages, beside the declarations that tsc has written: `node tools/build-javascript.ts [FOLDER…]`.
 *
 * One file for each module that a package offers, and chunks for what they share or load later. A file for each source
 * file would do as well, but Node needs half a millisecond for each: `import 'shoal'` was 115 of them.
 */
import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { builtins } from './builtins.ts';
import { buildChildMain, forMachines } from './child-script.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const settings: BuildOptions = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  conditions: ['@shoal/source'],
  outbase: 'src',
  outdir: 'dist',
  legalComments: 'none',
  logLevel: 'warning',
  plugins: [builtins],
};

/** The one of them that is a script. */
const childMain = 'src/child-main.ts';

/** Writes `dist` of the package in this folder. */
async function buildPackage(absWorkingDir: string): Promise<void> {
  for (const old of globSync('dist/chunk-*.js', { cwd: absWorkingDir })) rmSync(join(absWorkingDir, old));
  await Promise.all([
    build({
      ...settings,
      absWorkingDir,
      entryPoints: offeredBy(absWorkingDir),
      // Other packages stay what they are, ours among them: a class that two packages know is one class.
      packages: 'external',
      splitting: true,
      chunkNames: 'chunk-[name]-[hash]',
    }),
    // A process that is started often is one file, with all that it needs.
    build({
      ...settings,
      absWorkingDir,
      ...forMachines,
      entryPoints: globSync('src/*-main.ts', { cwd: absWorkingDir, exclude: [childMain] }),
    }),
    ...(existsSync(join(absWorkingDir, childMain))
      ? [
          buildChildMain(
            { ...settings, outbase: '' },
            join(absWorkingDir, 'src'),
            join(absWorkingDir, 'dist'),
          ),
        ]
      : []),
  ]);
}

/** The sources behind everything that the package's `exports` name. */
function offeredBy(folder: string): string[] {
  const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const sources: string[] = [];
  const collect = (exports: unknown): void => {
    if (typeof exports !== 'object' || exports === null) return;
    for (const [condition, target] of Object.entries(exports)) {
      if (typeof target !== 'string') collect(target);
      else if (condition === '@shoal/source') sources.push(target);
    }
  };
  collect((manifest as { exports?: unknown }).exports);
  return sources;
}

const named = process.argv.slice(2);
const folders =
  named.length > 0 ? named : globSync('{libs,apps}/*', { cwd: root }).map((each) => join(root, each));
await Promise.all(folders.map((folder) => buildPackage(resolve(folder))));
