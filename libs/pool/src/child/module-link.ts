/**
 * Reads, compiles and links the modules of tasks in the process that will be copied, and runs nothing of them: a copy finds
 * them as `import()` leaves them the moment before the first line of the first one runs, which saves a child a seventh of its
 * page faults.
 *
 * A module is linked with all that it imports before any of that runs, and imports run in the order in which they are
 * written. So a module is imported whose first import throws and whose others are the tasks': these are left linked.
 *
 * It has to be no different from loading in each copy. What would be (what Node warns of or cannot find, what others' hooks
 * or a compiler have a say in, CommonJS, whose files are read as it runs) is left to the copies; a copy tries it first, for a
 * failure leaves traces in Node's loader. And every file that had a say in it is watched (libs/fork-server/src/server.h).
 */
import { readlinkSync, statSync } from 'node:fs';
import { isBuiltin, type LoadHookSync, type ResolveHookSync, registerHooks } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { putRight } from './copied-process.ts';
import { installModuleHooks, linkedUrls } from './module-hooks.ts';
import { residue } from './residue.ts';

/** What the addon has for it. */
export interface LinkingAddon {
  tryInCopy(seconds: number): boolean | undefined;
  watchFile(path: string): void;
  exitNow(code: number): never;
}

const trySeconds = 5;
/** Of all modules together, in bytes: their text stays in the server. */
const sourceBytesMax = 16_777_216;
/** Each is looked at before each copy, in a microsecond. */
const filesMax = 1_024;
/** A file that is written twice within a tick of the system's clock looks as if it had been written once: that is waited for. */
const settledMs = 100;

const linkedOnly = 'shoal.linked';
const gate = `data:text/javascript,throw Symbol.for('${linkedOnly}')`;

/** Link what these import, if that may be. */
export async function linkModules(urls: readonly string[], addon: LinkingAddon): Promise<void> {
  // What Node has begun at its start (a thread that reads certificates) no copy is made beside.
  if ((await residue()) !== undefined) return;
  const isDone = addon.tryInCopy(trySeconds);
  if (isDone === undefined) addon.exitNow(await tryLinking(urls));
  if (isDone !== true) return;
  installModuleHooks();
  const files = new LinkedFiles();
  await link(urls, files);
  for (const path of files.paths) addon.watchFile(path);
  // Of these none has changed between its being read and its being watched.
  if (!files.areAsTheyWere) throw new Error('a module has changed while it was linked');
  for (const [url, meant] of files.meanings) linkedUrls.set(url, meant);
}

/** The exit code of the copy that tries: 0 where nothing of it is seen but that it is done. */
async function tryLinking(urls: readonly string[]): Promise<number> {
  // It takes itself for the server.
  putRight([0, Number(readlinkSync('/proc/self'))]);
  let warnings = 0;
  process.emitWarning = () => {
    warnings += 1;
  };
  try {
    installModuleHooks();
    await link(urls, new LinkedFiles());
    return warnings === 0 && (await residue()) === undefined ? 0 : 1;
  } catch {
    return 1;
  }
}

/** Throws where it cannot be, or may not be. */
async function link(urls: readonly string[], files: LinkedFiles): Promise<void> {
  const hooks = registerHooks({ resolve: files.resolve, load: files.load });
  const imports = [gate, ...urls].map((url) => `import ${JSON.stringify(url)};`);
  try {
    await import(`data:text/javascript,${encodeURIComponent(imports.join(''))}`);
  } catch (error) {
    if (error !== Symbol.for(linkedOnly)) throw error;
  } finally {
    hooks.deregister();
  }
}

/** Everything on the disk on which it depends what is linked. */
class LinkedFiles {
  readonly #states = new Map<string, string>();
  /** What the URLs mean that were to be linked. */
  readonly meanings: Map<string, string> = new Map();
  #sourceBytes = 0;

  get paths(): Iterable<string> {
    return this.#states.keys();
  }

  get areAsTheyWere(): boolean {
    return [...this.#states].every(([path, state]) => stateOf(path) === state);
  }

  readonly resolve: ResolveHookSync = (specifier, context, next) => {
    const { parentURL = '' } = context;
    const isRelative = /^\.{0,2}\//.test(specifier) || specifier === '.' || specifier === '..';
    if (parentURL.startsWith('file:') && !isRelative && !specifier.startsWith('file:')) {
      if (!isBuiltin(specifier)) this.#lookUp(packageOf(specifier), dirname(fileURLToPath(parentURL)));
      return next(specifier, context);
    }
    // It is all there.
    if (specifier.startsWith('data:')) return next(specifier, context);
    // What an import without an ending means depends on what else is there.
    const path = fileURLToPath(new URL(specifier, parentURL).href.replace(/[?#].*$/, ''));
    if (this.#watch(path) === absent) refuse(specifier);
    const meant = next(specifier, context);
    if (parentURL.startsWith('data:')) this.meanings.set(specifier, meant.url);
    return meant;
  };

  readonly load: LoadHookSync = (url, context, next) => {
    if (!url.startsWith('file:')) return next(url, context);
    const path = fileURLToPath(url.replace(/[?#].*$/, ''));
    if (!/\.(?:m?js|json)$/.test(path)) refuse(url);
    const { size } = statSync(path);
    this.#sourceBytes += size;
    if (this.#sourceBytes > sourceBytesMax) refuse(url);
    this.#watch(path);
    this.#watchManifests(path);
    const loaded = next(url, context);
    if (loaded.format !== 'module' && loaded.format !== 'json') refuse(url);
    return loaded;
  };

  /** Says whose format and imports these are. */
  #watchManifests(path: string): void {
    for (const folder of foldersAbove(path)) {
      if (this.#watch(join(folder, 'package.json')) !== absent) return;
    }
  }

  /** The nearest one of this name, and that none is nearer. */
  #lookUp(name: string, from: string): void {
    for (const folder of foldersAbove(join(from, '_'))) {
      const found = join(folder, 'node_modules', name);
      if (this.#watch(found) === absent) continue;
      this.#watch(join(found, 'package.json'));
      return;
    }
  }

  #watch(path: string): string {
    const known = this.#states.get(path);
    if (known !== undefined) return known;
    if (this.#states.size >= filesMax) refuse(path);
    const state = stateOf(path);
    this.#states.set(path, state);
    return state;
  }
}

const absent = 'absent';
const sleeper = new Int32Array(new SharedArrayBuffer(4));

function stateOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return absent;
  const { dev, ino, size, mtimeNs, ctimeNs, ctimeMs } = stat;
  if (stat.isDirectory()) return `${dev} ${ino}`;
  // What is no file may be one that nothing comes of (a pipe).
  const ageMs = Date.now() - Number(ctimeMs);
  if (!stat.isFile() || ageMs < 0) refuse(path);
  if (ageMs < settledMs) {
    Atomics.wait(sleeper, 0, 0, settledMs - ageMs);
    return stateOf(path);
  }
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

function* foldersAbove(path: string): Generator<string> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    yield folder;
    if (dirname(folder) === folder) return;
  }
}

/** `name` of `name/part`, `@scope/name` of `@scope/name/part`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function refuse(what: string): never {
  throw new Error(`${what} is for each copy to load`);
}
