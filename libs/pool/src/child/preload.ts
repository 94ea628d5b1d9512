/**
 * Loads the modules of tasks once, in the process that will be copied, so that no copy has to. What a module draws by
 * chance while it is loaded, all copies have alike; what is drawn later must not be, so nothing is taken ahead here from
 * where the copies go on.
 */
import { createHook } from 'node:async_hooks';
import { installModuleHooks } from './module-hooks.ts';
import { PrintSinks } from './print-sinks.ts';
import { importModule, publishChildState, TaskUnloadable } from './task-loader.ts';
import { compileWithoutThread } from './ts-compiler.ts';

/** What came of it. */
export interface Preloaded {
  /** Why this process must not be copied any more, as a part of a sentence; undefined: it may. */
  readonly why: string | undefined;
  /** Where modules print to, from their loading on. */
  readonly sinks: PrintSinks;
  /** Whether a timer of a module is left, also one that keeps no process alive. To be asked for as long as it may change. */
  leftTimer(): boolean;
  /** It will not be asked any more. */
  forgetTimers(): void;
}

const refillsToCompile = 12;

/** Load modules. */
export async function preload(urls: readonly string[]): Promise<Preloaded> {
  publishChildState();
  installModuleHooks();
  compileWithoutThread();
  // Two thousand calls, in each copy: compiled once, here.
  for (let time = 0; time < refillsToCompile; time++) refillCaches();
  const sinks = new PrintSinks();
  const timers = watchTimers();
  let why: string | undefined;
  try {
    for (const url of urls) await importModule(url);
  } catch (error) {
    // The copies of a process without it will say so themselves, with the error.
    const { module = 'a module', reason = String(error) } =
      error instanceof TaskUnloadable ? error.facts : {};
    why = `${module} cannot be loaded: ${reason}`;
  }
  return { why, sinks, ...timers };
}

/** Node draws UUIDs and integers ahead, 128 and 1,024 of them. So many are thrown away, for each copy had the same. */
export function refillCaches(): void {
  const { randomInt, randomUUID } = process.getBuiltinModule('node:crypto');
  for (let i = 0; i < 128; i++) randomUUID();
  for (let i = 0; i < 1_024; i++) randomInt(2);
}

/** A timer in a copy would go off with all that it had left to wait already gone by. */
function watchTimers(): Pick<Preloaded, 'leftTimer' | 'forgetTimers'> {
  const timers: { readonly _destroyed?: boolean }[] = [];
  const hook = createHook({
    init(_, type, __, resource) {
      if (type === 'Timeout') timers.push(resource);
    },
  }).enable();
  return {
    leftTimer: () => timers.some(({ _destroyed: isOver }) => isOver === false),
    forgetTimers() {
      hook.disable();
      timers.length = 0;
    },
  };
}
