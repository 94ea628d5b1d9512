/**
 * `task()`: registers a function of a module under the module's URL and a number, so that a child finds it again.
 *
 * Task modules load this in every child and carry it in every bundle: it imports little.
 */
import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TaskRef } from '../child-pool/chunk-request.ts';
import type { TaskFunction } from '../map-pool.ts';

/** Any function, whatever it takes. */
export type AnyFunction = TaskFunction<never, unknown>;

/** What `task` is given to know its module by. */
export interface ModuleMeta {
  readonly url: string;
}

// Looked up by name, so that several copies of this package in one process agree on what a task is.
const tasksKey = Symbol.for('shoal.tasks');
const taskKey = Symbol.for('shoal.task');

/** The tasks of each module by its URL, in the order of their `task()` calls. A child finds its function here. */
function registry(): Map<string, unknown[]> {
  const existing: unknown = Reflect.get(globalThis, tasksKey);
  if (existing instanceof Map) return existing as Map<string, unknown[]>;
  const created = new Map<string, unknown[]>();
  Reflect.set(globalThis, tasksKey, created);
  return created;
}

/** A module that is evaluated again (a test runner does it) has a new `import.meta` and counts from 0 again. */
const seenMetas = new WeakSet<object>();

/**
 * Makes a function of a module one that a pool can run: `export const square = task(import.meta, (x: number) => x * x)`.
 *
 * Returns the function itself: calling it directly runs it here. Children load its module to find it, so `task` has
 * to be called while the module loads, at its top level, in the same order every time. The function may use all that
 * its module imports and defines. It need not be exported, but then only its own module can pass it to a pool.
 */
export function task<F extends AnyFunction>(meta: ModuleMeta, fn: F): F {
  if (typeof meta?.url !== 'string') {
    throw new TypeError('task(import.meta, fn): the first argument has to be import.meta.');
  }
  if (typeof fn !== 'function') {
    throw new TypeError(
      `task(import.meta, fn): the second argument has to be a function, not ${fn === null ? 'null' : typeof fn}.`,
    );
  }
  const { url } = meta;
  const tasks = (seenMetas.has(meta) && registry().get(url)) || [];
  seenMetas.add(meta);
  registry().set(url, tasks);
  const ordinal = tasks.push(fn) - 1;
  const lineOfCall = fn.name === '' ? callerLine() : undefined;
  let name: string | undefined;
  const ref: TaskRef = {
    kind: 'registered',
    url,
    origin: url,
    ordinal,
    // Looked up when the function is used, not when its module loads: children never ask.
    get name(): string {
      name ??= fn.name === '' ? nameInSource(url, lineOfCall) : fn.name;
      return name;
    },
  };
  Object.defineProperty(fn, taskKey, { value: ref, configurable: true });
  return fn;
}

/** The line of the `task()` call, where the stack tells it. */
function callerLine(): number | undefined {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 3;
  const frame = new Error().stack?.split('\n')[3];
  Error.stackTraceLimit = limit;
  const line = /:(\d+):\d+\)?$/.exec(frame ?? '')?.[1];
  return line === undefined ? undefined : Number(line);
}

/** `square`, from the line that says `export const square = task(import.meta, …`; the file's name if no line does. */
function nameInSource(url: string, line: number | undefined): string {
  const fallback = stemOf(url);
  if (line === undefined || !url.startsWith('file:')) return fallback;
  try {
    const lines = readFileSync(fileURLToPath(url), 'utf8').split('\n');
    // A formatter may have put the name on a line before the call.
    const nearby = lines.slice(Math.max(0, line - 3), line).join('\n');
    const names = [
      ...nearby.matchAll(/\b(?:const|let|var)\s+([\p{ID_Start}$_][\p{ID_Continue}$]*)[^\n]*?=\s*\w*task\b/gu),
    ];
    return names.at(-1)?.[1] ?? fallback;
  } catch {
    return fallback;
  }
}

/** The name of a module's file without folder and extension. */
export function stemOf(url: string): string {
  const file = basename(url.split(/[?#]/, 1)[0] ?? url);
  return file.slice(0, file.length - extname(file).length) || 'task';
}

/** What `task()` was told of a function; undefined for one that it never saw. */
export function registeredTask(fn: AnyFunction): TaskRef | undefined {
  return (fn as { readonly [taskKey]?: TaskRef })[taskKey];
}
