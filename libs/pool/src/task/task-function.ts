/**
 * Which function to run, as plain data: from what a user passes to `map` to a {@link TaskRef}.
 *
 *   (1) task(import.meta, fn), exported from a module   -> the n-th task() call of that module
 *   (2) the URL or path of a module                     -> an export of it
 *   (3) an inline function                              -> its source text (inline-function.ts)
 */
import { statSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ShoalError } from '@shoal/errors';
import type { TaskRef } from '../child-pool/chunk-request.ts';
import type { TaskModule } from '../map-pool.ts';
import { functionOrModule } from '../options/option-checks.ts';
import { type AnyFunction, registeredTask, stemOf } from './task.ts';

/**
 * Which function a user means.
 *
 * Synchronous for the forms (1) and (2); an inline function needs a parser, which is loaded on first use. `option`: what it was
 * given as, for messages.
 * Throws (or rejects with) TASK_NOT_PORTABLE, TASK_LOAD_FAILED for a file that is not there, or a TypeError or RangeError.
 */
export function resolveTask(
  fn: AnyFunction | TaskModule,
  exportName: string | undefined,
  option: 'fn' | 'initializer' | 'retryOn' = 'fn',
): TaskRef | Promise<TaskRef> {
  functionOrModule(option, fn);
  if (typeof fn === 'function') return registeredTask(fn) ?? inlineTask(fn);
  const task = moduleTask(fn, exportName);
  if (task.url.startsWith('file:')) requireFile(task.url, option);
  return task;
}

type ExportRef = Extract<TaskRef, { kind: 'export' }>;

async function inlineTask(fn: AnyFunction): Promise<TaskRef> {
  const { inlineFunction } = await import('./inline-function.ts');
  const found = inlineFunction(fn);
  if (!('source' in found)) throw new ShoalError('TASK_NOT_PORTABLE', { ...found });
  return { kind: 'inline', ...found };
}

function moduleTask(module: TaskModule, exportName: string | undefined): ExportRef {
  const url = moduleUrl(module);
  const fragment = decodeURIComponent(url.hash.slice(1));
  if (fragment !== '' && exportName !== undefined && fragment !== exportName) {
    throw new TypeError(
      `The module's address asks for export "${fragment}", the option export for "${exportName}".`,
    );
  }
  url.hash = '';
  const name = exportName ?? (fragment === '' ? 'default' : fragment);
  return { kind: 'export', name: name === 'default' ? stemOf(url.href) : name, url: url.href, export: name };
}

function moduleUrl(module: TaskModule): URL {
  if (module instanceof URL) return new URL(module);
  if (/^(file|data):/.test(module)) return new URL(module);
  const hash = module.lastIndexOf('#');
  const url = pathToFileURL(hash === -1 ? module : module.slice(0, hash));
  if (hash !== -1) url.hash = module.slice(hash + 1);
  return url;
}

function requireFile(url: string, option: string): void {
  const path = fileURLToPath(url);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats?.isFile()) return;
  const reason = stats === undefined ? 'there is no such file' : 'it is not a file';
  throw new ShoalError('TASK_LOAD_FAILED', {
    module: path,
    // Of the function itself nobody wonders where that name came from.
    reason: option === 'fn' ? reason : `${option} names it, and ${reason}`,
    hint: 'A path is resolved against the working directory; new URL("../work.ts", import.meta.url) against a module.',
  });
}
