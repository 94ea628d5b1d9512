/** What a copy of a process has to put right before it is a process of its own: its number, its chance, its end. */
import { writeSync } from 'node:fs';
import { inspect } from 'node:util';
import { replaceRandom, reseed } from './chance.ts';

/** A copy of this process, as the addon's `serve` returns it. */
export type Copy = readonly [
  /** Of the order that asked for it. */
  id: number,
  pid: number,
  /** Four, drawn for it, from 0 to 4,294,967,295. */
  ...seed: number[],
];

/** What the addon has for the ends of copies. */
export interface Endings {
  /** From now on the process ends by itself where Node would take its threads down, and native code calls exit(). */
  endCopies(): void;
  /** With which code, where the event loop has run empty. */
  setExitCode(code: number): void;
  exitNow(code: number): never;
}

/**
 * Before there are copies: how they end, and all that will be run in them for this compiled. `hasOthers`: a module of the
 * user's is here already.
 */
export function prepareCopies(endings: Endings, hasOthers: boolean): void {
  endBy(endings);
  // Nobody listens to it.
  process.emit('shoal' as never);
  // This process itself, which draws from V8's until then.
  putRight([0, process.pid]);
  replaceRandom(hasOthers);
}

/** Make this copy a process of its own. */
export function putRight([, pid, ...seed]: Copy): void {
  Object.defineProperty(process, 'pid', {
    value: pid,
    configurable: true,
    enumerable: true,
    writable: false,
  });
  reseed(seed);
}

/**
 * A copy must not take down threads that it does not have: Node does that at its end, and would wait for ever. There are
 * three ways to get there. `process.exit` calls `process.reallyExit` last; an exception passes `process._fatalException`,
 * and ends the process where that says that nobody has caught it, or throws; both can be replaced. An event loop that has
 * run empty emits 'exit' and is taken down with its environment, which the addon hears of.
 */
function endBy({ endCopies, exitNow, setExitCode }: Endings): void {
  endCopies();
  Reflect.set(process, 'reallyExit', (code: unknown) => exitNow(codeOf(code)));
  const fatalException = Reflect.get(process, '_fatalException') as FatalException;
  const catchOrEnd: FatalException = (error, isFromPromise) => {
    let isCaught: boolean;
    try {
      isCaught = fatalException.call(process, error, isFromPromise);
    } catch (thrown) {
      // A handler of it threw.
      showFatal(thrown);
      return exitNow(fatalHandlerThrew);
    }
    if (isCaught) return true;
    showFatal(error);
    return exitNow(codeOf(process.exitCode ?? 1));
  };
  Reflect.set(process, '_fatalException', catchOrEnd);
  const emit = process.emit as (this: NodeJS.Process, name: string, ...values: unknown[]) => boolean;
  const noteExitCode = function (this: NodeJS.Process, name: string, ...values: unknown[]): boolean {
    const isHeard = emit.call(this, name, ...values);
    // Nothing ends here: who has replaced `emit` by a function of his own goes on after this one.
    if (name === 'exit') setExitCode(codeOf(process.exitCode ?? values[0]));
    return isHeard;
  };
  process.emit = noteExitCode as typeof process.emit;
}

type FatalException = (error: unknown, isFromPromise: boolean) => boolean;

/** Node's exit code where a handler of uncaught exceptions throws. */
const fatalHandlerThrew = 7;

const codeOf = (code: unknown): number => Number(code ?? 0) | 0;

function showFatal(error: unknown): void {
  try {
    writeSync(2, `${textOf(error)}\n\nNode.js ${process.version}\n`);
  } catch {
    // Nobody reads it any more.
  }
}

function textOf(error: unknown): string {
  const lead = error instanceof Error ? '' : 'Uncaught:\n';
  for (const customInspect of [true, false]) {
    try {
      return lead + inspect(error, { customInspect });
    } catch {
      // It has a way of its own to be shown, which throws.
    }
  }
  return 'Uncaught: a value that cannot be shown';
}
