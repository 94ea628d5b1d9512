/** Turns a reference to a task function into the function: the export of a module, a registered one, or a source text. */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants, runInThisContext } from 'node:vm';
import type { RemoteErrorData, TaskRef } from '../child-pool/chunk-request.ts';
import { describeThrown, summarize } from '../values/remote-error.ts';

export type TaskFunction = (...args: unknown[]) => unknown;

/** Why a function could not be had: a code of the catalogue with its facts, and what was thrown. */
export class TaskUnloadable extends Error {
  override readonly name: string = 'TaskUnloadable';
  readonly code: 'TASK_LOAD_FAILED' | 'TASK_EXPORT_MISSING' | 'POOL_IN_TASK_MODULE';
  readonly facts: Readonly<Record<string, string>>;
  readonly error: RemoteErrorData | undefined;

  constructor(
    code: TaskUnloadable['code'],
    facts: Readonly<Record<string, string>>,
    error?: RemoteErrorData,
  ) {
    super(code);
    this.code = code;
    this.facts = facts;
    this.error = error;
  }
}

/** Tells a `Pool` that is created meanwhile that it must not: each child would start children of its own. */
const childState: { loading: boolean; module?: string } = { loading: false };

/** May be called again: a process that loads modules for its copies has said so before them. */
export function publishChildState(): void {
  if (Object.hasOwn(globalThis, Symbol.for('shoal.child'))) return;
  Object.defineProperty(globalThis, Symbol.for('shoal.child'), { value: childState });
}

/** Load a function. Throws {@link TaskUnloadable}. */
export async function loadTask(ref: TaskRef): Promise<TaskFunction> {
  if (ref.kind === 'inline') return compile(ref.name, ref.source);
  const module = await importModule(ref.url);
  if (ref.kind === 'export') return exported(module, ref.url, ref.export);
  const registered = registeredTask(ref.origin, ref.ordinal);
  if (registered !== undefined) return callable(registered, ref.url, `task number ${ref.ordinal + 1}`);
  const reason = `it does not call task() as often as it did at the caller (no number ${ref.ordinal + 1})`;
  throw new TaskUnloadable('TASK_LOAD_FAILED', {
    module: displayName(ref.url),
    reason,
    hint: 'task() has to be called at the top level of the module, whatever the process.',
  });
}

/** Of modules that are loaded: where one was loaded for all copies, none of them has to look for it again. */
const loaded = new Map<string, Readonly<Record<string, unknown>>>();

/** How modules are imported: as a module does, unless this program runs as a script, whose own `import()` Node warns of. */
let importUrl = (url: string): Promise<unknown> => import(url);

export function importBy(way: (url: string) => Promise<unknown>): void {
  importUrl = way;
}

/** Import a module, and say meanwhile that it is being loaded. Throws {@link TaskUnloadable}. */
export async function importModule(url: string): Promise<Readonly<Record<string, unknown>>> {
  const known = loaded.get(url);
  if (known !== undefined) return known;
  childState.loading = true;
  childState.module = displayName(url);
  try {
    const module = (await importUrl(url)) as Readonly<Record<string, unknown>>;
    loaded.set(url, module);
    return module;
  } catch (thrown) {
    const error = describeThrown(thrown);
    const module = displayName(url);
    // Said as it is: it has a remedy of its own.
    if (error.code === 'POOL_IN_TASK_MODULE') throw new TaskUnloadable(error.code, { module }, error);
    throw new TaskUnloadable(
      'TASK_LOAD_FAILED',
      { module, reason: summarize(error), hint: hintFor(error) },
      error,
    );
  } finally {
    childState.loading = false;
    delete childState.module;
  }
}

function hintFor({ code }: RemoteErrorData): string {
  switch (code) {
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
      return 'Node only strips types; for enum, namespace, parameter properties and the like install esbuild.';
    case 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING':
      return 'Node strips no types below node_modules: import the compiled file.';
    case 'ERR_MODULE_NOT_FOUND':
      return 'Look at the path, and at paths and baseUrl of the tsconfig.json.';
    default:
      return '';
  }
}

function exported(module: Readonly<Record<string, unknown>>, url: string, name: string): TaskFunction {
  const names = Object.keys(module);
  let value = module[name];
  // CommonJS: what its names could not be read from is on the default export.
  const fallback = module['default'];
  if (
    !names.includes(name) &&
    typeof fallback === 'object' &&
    fallback !== null &&
    Object.hasOwn(fallback, name)
  ) {
    value = (fallback as Readonly<Record<string, unknown>>)[name];
  }
  if (typeof value === 'function') return callable(value as TaskFunction, url, `export "${name}"`);
  if (names.includes(name)) {
    throw new TaskUnloadable('TASK_LOAD_FAILED', {
      module: displayName(url),
      reason: `its export "${name}" is no function but ${value === null ? 'null' : `of type ${typeof value}`}`,
      hint: '',
    });
  }
  const functions = names.filter((candidate) => typeof module[candidate] === 'function');
  const near = nearest(name, functions);
  throw new TaskUnloadable('TASK_EXPORT_MISSING', {
    module: displayName(url),
    name,
    exports: functions.length === 0 ? 'none that is a function' : functions.join(', '),
    suggestion: near === undefined ? '' : `Did you mean ${near}?`,
  });
}

/** A class is a function too, but each call of it would throw: better to say so once, before any item runs. */
function callable(value: TaskFunction, url: string, what: string): TaskFunction {
  if (!/^class\b/.test(Function.prototype.toString.call(value))) return value;
  throw new TaskUnloadable('TASK_LOAD_FAILED', {
    module: displayName(url),
    reason: `its ${what} is a class, which cannot be called without new`,
    hint: `Export a function: (x) => new ${value.name || 'Thing'}(x).`,
  });
}

function registeredTask(origin: string, ordinal: number): TaskFunction | undefined {
  const registry = (globalThis as Readonly<Record<symbol, unknown>>)[Symbol.for('shoal.tasks')];
  if (!(registry instanceof Map)) return undefined;
  const tasks: unknown = registry.get(origin);
  const task: unknown = Array.isArray(tasks) ? tasks[ordinal] : undefined;
  return typeof task === 'function' ? (task as TaskFunction) : undefined;
}

let isImportWarningSilent = false;

/**
 * How inline functions import is an experimental feature of Node, and its choice is ours: the user, in whose terminal
 * and under whose function's name the warning would stand, can do nothing about it. Node gives it once, at the first
 * `import()`; so the first is one of ours.
 */
function silenceImportWarning(): void {
  if (isImportWarningSilent) return;
  isImportWarningSilent = true;
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    runInThisContext("void import('node:process')", {
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Compile the source text of a function: an arrow, a function, or a method as it stands in an object. */
function compile(name: string, source: string): TaskFunction {
  if (source.includes('import')) silenceImportWarning();
  const method = `({${source}})`;
  const forms = [`(${source})`, `Object.values(${method})[0]`];
  let failure: unknown;
  for (const form of forms) {
    try {
      // Compilers leave calls of __name behind, to keep the names of functions.
      const value: unknown = runInThisContext(`'use strict'; ((__name) => ${form})((f) => f)`, {
        filename: `shoal-inline:${name}`,
        importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
      });
      if (typeof value === 'function') return value as TaskFunction;
    } catch (error) {
      failure ??= error;
    }
  }
  const error = describeThrown(failure ?? new TypeError('it is no function'));
  throw new TaskUnloadable('TASK_LOAD_FAILED', { module: name, reason: summarize(error), hint: '' }, error);
}

/** A module as the user knows it: by its path from here. */
function displayName(url: string): string {
  if (!url.startsWith('file:')) return url;
  const path = fileURLToPath(url);
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near;
}

/** The name that is at most two typing errors away. */
function nearest(name: string, candidates: readonly string[]): string | undefined {
  let best: { readonly candidate: string; readonly errors: number } | undefined;
  for (const candidate of candidates) {
    const errors = typingErrors(name.toLowerCase(), candidate.toLowerCase());
    if (errors <= 2 && errors < name.length && errors < (best?.errors ?? Number.POSITIVE_INFINITY)) {
      best = { candidate, errors };
    }
  }
  return best?.candidate;
}

function typingErrors(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      row.push(
        Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + (isSame ? 0 : 1)),
      );
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
