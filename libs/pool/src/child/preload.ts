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

/** Node draws so many UUIDs and integers ahead. */
const [uuidsAhead, integersAhead] = [128, 1_024];

/** Load modules. */
export async function preload(urls: readonly string[]): Promise<Preloaded> {
  publishChildState();
  installModuleHooks();
  compileWithoutThread();
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

/**
 * Draws what Node has drawn ahead, for each copy would have the same: the next draw of a copy takes numbers of its own.
 * False where it was not seen how many were left: then each copy has to call {@link throwAway} itself.
 */
export function useUpCaches(): boolean {
  const { randomInt, randomUUID } = process.getBuiltinModule('node:crypto');
  return useUp(() => randomUUID(), uuidsAhead) && useUp(() => randomInt(2), integersAhead);
}

/** Node is seen asking for random bytes when the first of as many is drawn. */
function useUp(draw: () => unknown, ahead: number): boolean {
  let asked = 0;
  const hook = createHook({
    init(_, type) {
      if (type === 'RANDOMBYTESREQUEST') asked += 1;
    },
  }).enable();
  try {
    for (let left = ahead; left > 0 && asked === 0; left--) draw();
    for (let drawn = 1; drawn < ahead; drawn++) draw();
  } finally {
    hook.disable();
  }
  return asked === 1;
}

/** In a copy, where it was not known how many were left: as many as there can be. */
export function throwAway(): void {
  const { randomInt, randomUUID } = process.getBuiltinModule('node:crypto');
  for (let i = 0; i < uuidsAhead; i++) randomUUID();
  for (let i = 0; i < integersAhead; i++) randomInt(2);
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
