import { ShoalError } from '@shoal/errors';
import { ownFolders } from '../own-code.ts';

// Any function, of whatever shape.
type Callable = (...args: never) => unknown;

const firstFrame = /\n\s+at /;

/** Errors that tell of a call already: another call that ends for the same reason gets one of its own. */
const placed = new WeakSet<ShoalError>();

/**
 * Where a pool's method was called. The errors of that call carry it as their stack, for the line that somebody has to
 * look at is their own; what led to the error on our side helps nobody. The function's own stack stays on `cause`.
 *
 * Costs a few microseconds: V8 notes the frames now and turns them into text when it is asked for.
 */
export class CallSite {
  readonly #noted: { readonly stack?: unknown } = {};
  #frames: string | undefined;

  /** `method` is the method that was called; what called it is noted. */
  constructor(method: Callable) {
    Error.captureStackTrace(this.#noted, method);
  }

  /** `    at main (file:///app/main.ts:7:3)`, a line each; empty where the program notes no stacks. */
  get frames(): string {
    if (this.#frames === undefined) {
      const { stack } = this.#noted;
      const text = typeof stack === 'string' ? stack : '';
      const at = text.search(firstFrame);
      this.#frames = at === -1 ? '' : text.slice(at + 1);
    }
    return this.#frames;
  }

  /** The error as one of this call. Errors that are not ours (an input's, a signal's reason) stay as they are. */
  of<E>(error: E): E {
    if (error instanceof ShoalError) {
      const own = placed.has(error) ? copyOf(error) : error;
      placed.add(own);
      this.#putOn(own);
      return own;
    }
    // A bad option, found by our own checks.
    if (error instanceof TypeError || error instanceof RangeError) {
      const stack = error.stack ?? '';
      const topFrame = stack.slice(stack.search(firstFrame) + 1).split('\n', 1)[0] ?? '';
      if (ownFolders.some((folder) => topFrame.includes(folder))) this.#putOn(error);
    }
    return error;
  }

  #putOn(error: Error): void {
    if (this.frames === '') return;
    const value = `${error.name}: ${error.message}\n${this.frames}`;
    Object.defineProperty(error, 'stack', { value, writable: true, configurable: true, enumerable: false });
  }
}

/** Another error of the same class and content: `terminate()` ends many jobs with one. */
function copyOf<E extends ShoalError>(error: E): E {
  const copy = new ShoalError(error.code, error.facts);
  Object.setPrototypeOf(copy, Object.getPrototypeOf(error));
  Object.defineProperties(copy, Object.getOwnPropertyDescriptors(error));
  return copy as E;
}
