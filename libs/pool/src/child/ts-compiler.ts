/**
 * Compiles TypeScript that has to be more than stripped of its types. esbuild is loaded for the first file that needs
 * it and is the one exception to "a child loads nothing but Node's own modules". What it makes is kept beside Node's
 * compile cache, so that one child pays and all others read.
 */
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as Esbuild from 'esbuild';
import { crypto } from '../crypto.ts';
import { readShelf, writeShelf } from './code-shelf.ts';
import type { TsProject } from './ts-project.ts';

/** Options of tsconfig.json that change what a single file does. */
const compilerOptions = [
  'experimentalDecorators',
  'jsx',
  'jsxFactory',
  'jsxFragmentFactory',
  'jsxImportSource',
  'useDefineForClassFields',
  'verbatimModuleSyntax',
  'alwaysStrict',
  'target',
] as const;

/**
 * Compile a file; the source map is in the code. Throws what esbuild says about the file; where there is no esbuild,
 * `nodeError` (what Node says about it) or an error of its own.
 */
export function compileTypeScript(
  url: string,
  source: string,
  project: TsProject | undefined,
  nodeError?: unknown,
): string {
  const told = compilerOptions.filter((name) => project?.options[name] !== undefined);
  const options: Esbuild.TransformOptions = {
    loader: loaders[extname(new URL(url).pathname)] ?? 'ts',
    target: 'node24',
    sourcemap: 'inline',
    sourcefile: url,
    logLevel: 'silent',
    tsconfigRaw: { compilerOptions: Object.fromEntries(told.map((name) => [name, project?.options[name]])) },
  };
  const key = crypto().hash('sha256', JSON.stringify([cacheVersion, options, source]));
  const known = readShelf(`${key}.js`)?.toString();
  if (known !== undefined) return known;
  const esbuild = loadEsbuild(fileURLToPath(url));
  if (esbuild === undefined) throw nodeError ?? new EsbuildMissing();
  try {
    const { code } = esbuild.transformSync(source, options);
    writeShelf(`${key}.js`, code);
    return code;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_ACCESS_DENIED') throw error;
    return transformedByNode(url, source, error);
  }
}

/**
 * With permissions esbuild may not start the thread that it works in. Node's own way knows enums and their like; of
 * imports that are types alone it does not know, and JSX neither.
 */
function transformedByNode(url: string, source: string, denied: unknown): string {
  if (/\.[jt]sx$/.test(new URL(url).pathname)) throw denied;
  return stripTypeScriptTypes(source, { mode: 'transform', sourceMap: true, sourceUrl: url });
}

/**
 * From now on files are compiled in processes that end with each of them: esbuild's thread, which is faster, would be left
 * in a process that is to be copied. It reads once how to work.
 */
export function compileWithoutThread(): void {
  leavesNoThread = true;
}
let leavesNoThread = false;

class EsbuildMissing extends Error {
  readonly code: string = 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX';

  constructor() {
    super('It has to be compiled, and esbuild is not installed.');
  }
}

const loaders: Readonly<Record<string, Esbuild.Loader>> = { '.tsx': 'tsx', '.jsx': 'jsx' };

/** Ours, or else that of the user's project. */
function loadEsbuild(file: string): typeof Esbuild | undefined {
  for (const from of [import.meta.url, file]) {
    const require = createRequire(from);
    try {
      return leavesNoThread ? withoutThread(() => require('esbuild')) : require('esbuild');
    } catch {
      // Not installed for this one.
    }
  }
  return undefined;
}

function withoutThread(load: () => typeof Esbuild): typeof Esbuild {
  const before = process.env[threadVariable];
  process.env[threadVariable] = '0';
  try {
    return load();
  } finally {
    if (before === undefined) delete process.env[threadVariable];
    else process.env[threadVariable] = before;
  }
}
const threadVariable = 'ESBUILD_WORKER_THREADS';

/** Changes with whatever changes the code that the same options make. */
const cacheVersion = 'esbuild 0.28';
