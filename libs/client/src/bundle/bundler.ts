import { existsSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ShoalError } from '@shoal/errors';
import type { BuildResult, OutputFile } from 'esbuild';
import { type Bundle, type BundledJob, type BundledTask, bundleOf, type ModuleTask } from './bundle.ts';
import { bundleFailed, exportMissing } from './bundle-error.ts';
import { bundlePath, moduleUrl, projectRoot } from './bundle-path.ts';
import { moduleMeta } from './module-meta.ts';
import { nativeAddons } from './native-addon.ts';
import { shoalRuntime } from './shoal-runtime.ts';
import { withSourceMap } from './source-map.ts';

/** One build and what tells whether it still holds. */
interface Build {
  readonly bundle: Bundle;
  /** Names that the entry exports; for a CommonJS entry only `default` is known. */
  readonly exports: readonly string[];
  readonly commonJs: boolean;
  /** Every file that went in, with its size and time of change; undefined: do not reuse. */
  readonly inputs: ReadonlyMap<string, string> | undefined;
}

/** What to bundle: a file as it is, or a text that imports some. */
type Entry = { readonly file: string } | { readonly text: string; readonly folder: string };

/** CommonJS packages call `require` for built-in modules, which an ES module does not have. */
const requireBanner = `import { createRequire as $createRequire } from 'node:module'; globalThis.require ??= $createRequire('${moduleUrl('bundle.js')}');`;

const initializerExport = 'shoalInitializer';

/** So many files are looked at in the call of a map: each by the thread pool would cost a short job more than all of them together. */
const lookedAtOnceMax = 256;

const stampOf = ({ mtimeMs, size }: { mtimeMs: number; size: number }): string => `${mtimeMs} ${size}`;

const stamp = async (file: string): Promise<string> => stampOf(await stat(file));

/** The same at once; undefined where there is no such file. */
function stampNow(file: string): string | undefined {
  try {
    return stampOf(statSync(file));
  } catch {
    return undefined;
  }
}

/** Conditions of the caller's own process, so that its imports mean the same in the bundle. */
function callerConditions(): string[] {
  const flags = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/)];
  return flags.flatMap((flag, at) => {
    const [, attached] = /^(?:--conditions|-C)=(.+)$/.exec(flag) ?? [];
    if (attached !== undefined) return [attached];
    const next = flags[at + 1];
    return (flag === '--conditions' || flag === '-C') && next !== undefined ? [next] : [];
  });
}

/** The file of a task module; only files can be bundled. */
function fileOf(url: string): string {
  if (!url.startsWith('file:')) {
    throw new ShoalError('TASK_BUNDLE_FAILED', { module: url, reason: 'it is not a file', hint: '' });
  }
  return fileURLToPath(url.replace(/[?#].*$/, ''));
}

/**
 * Makes bundles of task modules: one ES module with everything that it imports.
 *
 * The same sources give the same bytes on every machine. A build is used again while none of its files has changed
 * (size and time of change).
 */
export class Bundler {
  readonly #builds = new Map<string, Promise<Build>>();
  /** Of folders that modules were in: each is searched for once. */
  readonly #roots = new Map<string, string>();
  readonly #conditions: readonly string[];

  constructor(conditions: readonly string[] = callerConditions()) {
    this.#conditions = conditions;
  }

  /**
   * Bundles the modules of a job: of its task, of its initializer, or of both together, so that they share state.
   *
   * Errors: TASK_BUNDLE_FAILED, TASK_EXPORT_MISSING, TASK_LOAD_FAILED (no such file).
   */
  async bundle(task: ModuleTask, initializer?: ModuleTask): Promise<BundledJob> {
    const first = await this.#alone(task);
    if (initializer === undefined) return first;
    const second = await this.#alone(initializer);
    // Two functions of one module: it has both.
    if (second.bundle.sha256 === first.bundle.sha256)
      return { ...first, tasks: [...first.tasks, ...second.tasks] };
    const file = fileOf(task.url);
    const root = this.#rootOf(file);
    const text = part(task, taskExport(task)) + part(initializer, initializerExport);
    const { bundle } = await this.#build({ text, folder: dirname(file) }, root, file);
    const tasks = [place(task, taskExport(task), root), place(initializer, initializerExport, root)];
    return { ...first, bundle, tasks };
  }

  /** Bundles a whole module, whatever its exports. Errors: TASK_BUNDLE_FAILED, TASK_LOAD_FAILED. */
  async module(url: string): Promise<Bundle> {
    const file = fileOf(url);
    return (await this.#module(file, this.#rootOf(file))).bundle;
  }

  #rootOf(file: string): string {
    const folder = dirname(file);
    const root = this.#roots.get(folder) ?? projectRoot(file);
    this.#roots.set(folder, root);
    return root;
  }

  async #module(file: string, root: string): Promise<Build> {
    if (existsSync(file)) return this.#build({ file }, root, file);
    const module = bundlePath(root, file);
    throw new ShoalError('TASK_LOAD_FAILED', { module, reason: 'there is no such file', hint: '' });
  }

  /** One function by itself. */
  async #alone(task: ModuleTask): Promise<BundledJob> {
    const file = fileOf(task.url);
    const root = this.#rootOf(file);
    const whole = await this.#module(file, root);
    const found = place(task, taskExport(task), root);
    // What a CommonJS module exports is known only when it runs; the child looks on its default export.
    if (found.kind === 'export' && !whole.exports.includes(found.export) && !whole.commonJs) {
      throw exportMissing(bundlePath(root, file), found.export, whole.exports);
    }
    const module = bundlePath(root, file);
    return { bundle: whole.bundle, tasks: [found], module, root: rootUrl(root) };
  }

  /** Builds an entry, or takes the build that is there. `about` is the file that errors name. */
  async #build(entry: Entry, root: string, about: string): Promise<Build> {
    const key = JSON.stringify(entry);
    const known = this.#builds.get(key);
    if (known !== undefined && (await isFresh(known))) return known;
    const again = this.#builds.get(key);
    if (again !== undefined && again !== known) return again; // Another caller was faster.
    const build = this.#run(entry, root, about);
    this.#builds.set(key, build);
    build.catch(() => this.#builds.delete(key));
    return build;
  }

  async #run(entry: Entry, root: string, about: string): Promise<Build> {
    const esbuild = await loadEsbuild(bundlePath(root, about));
    const startedAtMs = Date.now();
    let result: BuildResult<{ metafile: true; write: false }>;
    try {
      result = await esbuild.build({
        ...('file' in entry
          ? { entryPoints: [entry.file] }
          : { stdin: { contents: entry.text, resolveDir: entry.folder, sourcefile: 'shoal-entry.js' } }),
        absWorkingDir: root,
        outfile: join(root, 'bundle.mjs'), // Nothing is written; paths in the source map are relative to it.
        bundle: true,
        write: false,
        metafile: true,
        format: 'esm',
        platform: 'node',
        target: 'node24',
        conditions: ['module-sync', ...this.#conditions],
        sourcemap: 'external',
        sourcesContent: false,
        legalComments: 'none',
        logLevel: 'silent',
        plugins: [sharedEntry(), shoalRuntime(), nativeAddons(root), moduleMeta(root)],
      });
    } catch (error) {
      throw bundleFailed(root, about, error);
    }
    const code = textOf(result.outputFiles, '.mjs');
    const banner = /\b__require\b/.test(code) ? requireBanner : '';
    const output = result.metafile.outputs['bundle.mjs'];
    const own = 'file' in entry ? output?.entryPoint : undefined;
    return {
      bundle: bundleOf(withSourceMap(code, textOf(result.outputFiles, '.map'), banner, root)),
      exports: output?.exports ?? [],
      commonJs: own !== undefined && result.metafile.inputs[own]?.format === 'cjs',
      inputs: await stamps(root, Object.keys(result.metafile.inputs), startedAtMs),
    };
  }
}

/** A program of its own: an installation that only serves jobs, such as the container image, does without. */
async function loadEsbuild(module: string): Promise<typeof import('esbuild')> {
  try {
    return await import('esbuild');
  } catch (cause) {
    const reason = 'esbuild, which does it, is not installed here';
    const hint = 'Run this where the package shoal was installed with npm.';
    throw new ShoalError('TASK_BUNDLE_FAILED', { module, reason, hint }, { cause });
  }
}

const rootUrl = (root: string): string => `${pathToFileURL(root).href}/`;

const taskExport = (task: ModuleTask): string => (task.kind === 'export' ? task.export : 'default');

const textOf = (files: readonly OutputFile[], extension: string): string =>
  files.find(({ path }) => path.endsWith(extension))?.text ?? '';

/** The lines of a bundle's entry that bring in one function under a name. */
function part(ref: ModuleTask, name: string): string {
  const module = JSON.stringify(`shoal-entry:${fileOf(ref.url)}`);
  if (ref.kind === 'registered') return `import ${module};\n`;
  return `export { ${JSON.stringify(ref.export)} as ${JSON.stringify(name)} } from ${module};\n`;
}

/** Where a function is found once it is bundled. */
function place(ref: ModuleTask, name: string, root: string): BundledTask {
  return ref.kind === 'registered'
    ? { kind: 'registered', ordinal: ref.ordinal, origin: moduleUrl(bundlePath(root, fileOf(ref.origin))) }
    : { kind: 'export', export: name };
}

/** Modules that the entry imports for what they register, whatever `sideEffects` their package declares. */
function sharedEntry(): import('esbuild').Plugin {
  return {
    name: 'shoal-entry',
    setup(build) {
      build.onResolve({ filter: /^shoal-entry:/ }, ({ path }) => ({
        path: path.slice('shoal-entry:'.length),
        sideEffects: true,
      }));
    },
  };
}

/** Size and time of change of every input; undefined where one changed while it was being read. */
async function stamps(
  root: string,
  inputs: readonly string[],
  startedAtMs: number,
): Promise<ReadonlyMap<string, string> | undefined> {
  // Modules of our own making are called `namespace:path`.
  const files = inputs
    .filter((input) => !/^[\w-]{2,}:|^<|^shoal-entry/.test(input))
    .map((input) => join(root, input));
  try {
    const entries = await Promise.all(
      files.map(async (file) => {
        const { mtimeMs } = await stat(file);
        return [file, mtimeMs < startedAtMs ? await stamp(file) : 'changing'] as const;
      }),
    );
    return entries.some(([, stamp]) => stamp === 'changing') ? undefined : new Map(entries);
  } catch {
    return undefined;
  }
}

/** Whether no input of a build has changed since. */
async function isFresh(build: Promise<Build>): Promise<boolean> {
  const { inputs } = await build.catch(() => ({ inputs: undefined }));
  if (inputs === undefined) return false;
  if (inputs.size <= lookedAtOnceMax) return [...inputs].every(([file, known]) => stampNow(file) === known);
  const same = await Promise.all(
    [...inputs].map(([file, known]) =>
      stamp(file).then(
        (now) => now === known,
        () => false,
      ),
    ),
  );
  return same.every(Boolean);
}
