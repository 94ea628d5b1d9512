import type { Session } from 'node:inspector';
import { basename } from 'node:path';

/** Where a function begins. */
export interface FunctionPlace {
  /** The file's name without its folder. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

interface Located {
  readonly scriptId: string;
  readonly lineNumber: number;
}

/**
 * Where a function was written, as the engine knows it; undefined where it does not tell.
 *
 * Asks V8 through an inspector session of this very thread: no port is opened. Takes milliseconds, for error messages.
 */
export function placeOfFunction(fn: (...args: never) => unknown): FunctionPlace | undefined {
  const key = Symbol.for('shoal.located');
  let session: Session | undefined;
  try {
    // Loaded for the message only: it costs 20 ms that no inline function should pay for.
    const inspector = process.getBuiltinModule('node:inspector');
    const inspected = new inspector.Session();
    session = inspected;
    inspected.connect();
    const files = new Map<string, string>();
    inspected.on('Debugger.scriptParsed', ({ params }) => files.set(params.scriptId, params.url));
    Reflect.set(globalThis, key, fn);
    let located: Located | undefined;
    inspected.post('Debugger.enable');
    inspected.post(
      'Runtime.evaluate',
      { expression: "globalThis[Symbol.for('shoal.located')]" },
      (_, answer) => {
        const objectId = answer?.result.objectId;
        if (objectId === undefined) return;
        inspected.post('Runtime.getProperties', { objectId, ownProperties: true }, (_error, found) => {
          const place = found?.internalProperties?.find(({ name }) => name === '[[FunctionLocation]]');
          located = place?.value?.value;
        });
      },
    );
    const file = located === undefined ? undefined : files.get((located as Located).scriptId);
    if (located === undefined || file === undefined || file === '') return undefined;
    return { file: basename(file), line: (located as Located).lineNumber + 1 };
  } catch {
    // No inspector in this build of Node, or one that is in use: the message does without the file.
    return undefined;
  } finally {
    Reflect.deleteProperty(globalThis, key);
    session?.disconnect();
  }
}
