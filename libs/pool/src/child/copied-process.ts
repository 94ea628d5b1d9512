/** What a copy of a process has to put right before it is a process of its own: its number, its chance, its end. */
import { writeSync } from 'node:fs';
import { inspect } from 'node:util';
import { setFlagsFromString } from 'node:v8';

/** A copy of this process, as the addon's `serve` returns it. */
export type Copy = readonly [
  /** Of the order that asked for it. */
  id: number,
  pid: number,
  /** Drawn for it, from 0 to 2,147,483,647. */
  seed: number,
];

/** Before there are copies: how they end, and all that will be run in them for this compiled. */
export function prepareCopies(exitNow: (code: number) => never): void {
  endBy(exitNow);
  // Nobody listens to it.
  process.emit('shoal' as never);
  // This process itself, which has no seed.
  putRight([0, process.pid, 0]);
}

/** Make this copy a process of its own. */
export function putRight([id, pid, seed]: Copy): void {
  Object.defineProperty(process, 'pid', {
    value: pid,
    configurable: true,
    enumerable: true,
    writable: false,
  });
  // Math.random has drawn nothing yet (preload.ts sees to that), so that it begins here.
  setFlagsFromString(`--random-seed=${id === 0 ? 0 : Math.max(1, seed)}`);
}

/**
 * `exitNow` ends a process without taking down threads that it does not have; Node takes its threads down at the end, which
 * in a copy never returns. There are three ways to get there: process.exit, an exception that nobody caught, and an event
 * loop that has run empty; all emit 'exit', and nothing is left to do after that but what is done here.
 */
function endBy(exitNow: (code: number) => never): void {
  const emit = process.emit as (this: NodeJS.Process, name: string, ...values: unknown[]) => boolean;
  let fatal: { readonly error: unknown } | undefined;
  const emitThenEnd = function (this: NodeJS.Process, name: string, ...values: unknown[]): boolean {
    // Told before anybody may handle it; what nobody handles, Node would show after 'exit'.
    if (name === 'uncaughtExceptionMonitor') fatal = { error: values[0] };
    const isHeard = emit.call(this, name, ...values);
    if (name === 'uncaughtException' && isHeard) fatal = undefined;
    if (name === 'exit' && Reflect.get(process, '_exiting') !== false) {
      if (fatal !== undefined) showFatal(fatal.error);
      exitNow(codeOf(process.exitCode ?? values[0]));
    }
    return isHeard;
  };
  process.emit = emitThenEnd as typeof process.emit;
  // Node calls it at the end of process.exit, and lets it be replaced for the likes of us.
  Reflect.set(process, 'reallyExit', (code: unknown) => exitNow(codeOf(code)));
}

const codeOf = (code: unknown): number => Number(code ?? 0) | 0;

function showFatal(error: unknown): void {
  const text = error instanceof Error ? inspect(error) : `Uncaught:\n${inspect(error)}`;
  try {
    writeSync(2, `${text}\n\nNode.js ${process.version}\n`);
  } catch {
    // Nobody reads it any more.
  }
}
