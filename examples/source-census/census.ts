import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { gzipSync } from 'node:zlib';
import { parse } from 'acorn';
import { full } from 'acorn-walk';
import { task } from 'shoal';

/** What the census says of one file. */
export interface FileCensus {
  readonly path: string;
  readonly bytes: number;
  readonly gzipBytes: number;
  readonly sha256: string;
  /** How often each kind of syntax node occurs; absent where the file does not parse. */
  readonly nodes?: Readonly<Record<string, number>>;
  /** Why the file does not parse. That is a finding about the file and no failure of the task. */
  readonly unparsable?: string;
}

/** Reads a file, parses it, counts what is in it, hashes it and sees how small it gets: some honest CPU work. */
export const census = task(import.meta, (path: string): FileCensus => {
  const bytes = readFileSync(path);
  return {
    path,
    bytes: bytes.length,
    gzipBytes: gzipSync(bytes, { level: 9 }).length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    ...syntaxOf(path, bytes.toString()),
  };
});

function syntaxOf(path: string, text: string): Pick<FileCensus, 'nodes' | 'unparsable'> {
  const counts = new Map<string, number>();
  const count = ({ type }: { readonly type: string }): void =>
    void counts.set(type, (counts.get(type) ?? 0) + 1);
  try {
    full(parsed(path, text), count);
  } catch (error) {
    return { unparsable: error instanceof Error ? error.message : String(error) };
  }
  return { nodes: Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

function parsed(path: string, text: string): ReturnType<typeof parse> {
  const plain = /\.[cm]?ts$/.test(path) ? stripTypeScriptTypes(text) : text;
  const options = { ecmaVersion: 'latest', allowHashBang: true, allowReturnOutsideFunction: true } as const;
  try {
    return parse(plain, { ...options, sourceType: 'module' });
  } catch (error) {
    try {
      // Older code that no module may be (`with`, octal literals, a variable named await).
      return parse(plain, { ...options, sourceType: 'script' });
    } catch {
      throw error;
    }
  }
}
