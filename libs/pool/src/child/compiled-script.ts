/**
 * Runs a text with what V8 had compiled of it in another process, functions and all. Node's own cache is written before
 * any function has run: with it each child compiles 180 functions anew, an eighth of its start.
 */
import { Buffer } from 'node:buffer';
import { Script } from 'node:vm';
import { readShelf, writeShelf } from './code-shelf.ts';

/** A text that is a script, and what is kept of it. */
export interface CompiledScript {
  /** What the script evaluates to. */
  readonly value: unknown;
  /** Have others start with what is compiled by now. Does nothing where they do already. Never throws. */
  keep(): void;
}

/**
 * `name`: where it is kept, different for each text. V8 looks at its own version, at its options and at the length of the
 * text; whoever names it has to vouch for the text itself.
 */
export function runCompiled(text: string, filename: string, name: string): CompiledScript {
  const known = readShelf(name);
  const cachedData = known && intact(known);
  const script = new Script(text, cachedData === undefined ? { filename } : { filename, cachedData });
  // Read, and of no use any more: the garbage collector would come for it when the child has long been measured.
  if (known?.buffer instanceof ArrayBuffer && known.buffer.byteLength === known.byteLength)
    known.buffer.transfer(0);
  let isKept = cachedData !== undefined && script.cachedDataRejected !== true;
  return {
    value: script.runInThisContext(),
    keep(): void {
      if (isKept) return;
      isKept = true;
      try {
        const data = script.createCachedData();
        writeShelf(name, Buffer.concat([data, data]));
      } catch {
        // A task has replaced what this needs: others compile for themselves, and no item is blamed for it.
      }
    },
  };
}

/**
 * It lies there twice: V8 believes what it reads, and a process that reads a file with a broken block in it crashes, as
 * would all that follow. To compare costs the least of what would find that.
 */
function intact(known: Buffer): Buffer | undefined {
  const half = known.subarray(0, known.length / 2);
  return half.length > 0 && half.equals(known.subarray(known.length / 2)) ? half : undefined;
}
