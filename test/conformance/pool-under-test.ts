import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { type MapPool, type PoolOptions, PrintWriter } from 'shoal';

/** Opens a pool of the kind that is tried. Leaving `await using` must end all that it started. */
export type OpenPool = (options?: PoolOptions) => Promise<MapPool>;

/** Numbers from 0. */
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** What a promise rejects with; fails if it does not. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    const value = await promise;
    throw new Error(`it was fulfilled with ${JSON.stringify(value)}`);
  } catch (error) {
    return error;
  }
}

/** Waits until something holds; fails with what was seen instead. */
export async function eventually<T>(
  look: () => T,
  holds: (seen: T) => boolean,
  withinMs: number = 60_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const seen = look();
    if (holds(seen)) return seen;
    if (performance.now() > deadline) throw new Error(`after ${withinMs} ms: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A file of our own for the time of a case. */
export class Book implements Disposable {
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'shoal-conformance-'));
  readonly file: string = join(this.#folder, 'book');

  /** What was written to it, line by line. */
  get lines(): string[] {
    return existsSync(this.file) ? readFileSync(this.file, 'utf8').split('\n').filter(Boolean) : [];
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}

/** A folder with files of a user's, for the time of a case. */
export class Project implements Disposable {
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'shoal-project-'));

  constructor(files: Readonly<Record<string, string>>) {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.#folder, name)), { recursive: true });
      writeFileSync(join(this.#folder, name), text);
    }
  }

  url(name: string): URL {
    return pathToFileURL(join(this.#folder, name));
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}

/** What a pool prints. */
export class Transcript {
  readonly #texts = { stdout: '', stderr: '' };
  readonly printer: PrintWriter = new PrintWriter({
    stdout: new Writable({ write: (text, _, done) => done(this.#note('stdout', text)) }),
    stderr: new Writable({ write: (text, _, done) => done(this.#note('stderr', text)) }),
  });

  get stdout(): string[] {
    return this.#texts.stdout.split('\n').filter(Boolean);
  }

  get stderr(): string[] {
    return this.#texts.stderr.split('\n').filter(Boolean);
  }

  #note(stream: 'stdout' | 'stderr', text: unknown): null {
    this.#texts[stream] += String(text);
    return null;
  }
}

/** How often each value occurs. */
export function tally<T>(values: readonly T[]): Map<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** An input without end, that knows what was taken from it. */
export interface Endless<T> {
  readonly items: Generator<T>;
  readonly slowItems: () => AsyncGenerator<T>;
  pulled(): number;
  returned(): boolean;
}

export function endless<T>(item: (index: number) => T): Endless<T> {
  let pulled = 0;
  let returned = false;
  function* items(): Generator<T> {
    try {
      for (;;) yield item(pulled++);
    } finally {
      returned = true;
    }
  }
  async function* slowItems(): AsyncGenerator<T> {
    yield* items();
  }
  return { items: items(), slowItems, pulled: () => pulled, returned: () => returned };
}

/** Waits until a number has not changed for a while, and says what it is; fails with the last two where it goes on. */
export async function settled(
  look: () => number,
  quietMs: number = 150,
  withinMs: number = 60_000,
): Promise<number> {
  const deadline = performance.now() + withinMs;
  for (let seen = look(); ; ) {
    await new Promise((resolve) => setTimeout(resolve, quietMs));
    const now = look();
    if (now === seen) return now;
    if (performance.now() > deadline)
      throw new Error(`after ${withinMs} ms it still went from ${seen} to ${now}`);
    seen = now;
  }
}
