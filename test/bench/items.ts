import { createHash } from 'node:crypto';

/** The functions of tasks.js. */
export type TaskName = 'increment' | 'rescore' | 'echo' | 'echoLarge' | 'hash' | 'hashFive' | 'waitFive';

/** Bytes of an item of `echo`. */
const echoBytes = 10_240;
/** Bytes of an item of `echoLarge`. */
const largeBytes = 65_536;
const batch = 10_000;
/** `hash` uses the last byte of its seed: items beyond these are the same again. Of those that wait as many are enough. */
const seeds = 256;

/** How many different items a task has. */
export const differentItems = (task: TaskName): number =>
  task.startsWith('hash') || task === 'waitFive' ? seeds : Number.POSITIVE_INFINITY;

/** One of the items that every peer maps over; peers/tasks.py makes the same. */
export function itemOf(task: TaskName, index: number, rounds: number): unknown {
  switch (task) {
    case 'increment':
      return index;
    case 'rescore':
      // Never a whole number: those are `1` in JavaScript and `1.0` in Python.
      return { id: index, name: `record ${index}`, score: index + 0.5 };
    case 'echo':
      return flatText(index, echoBytes);
    case 'echoLarge':
      return flatText(index, largeBytes);
    case 'waitFive':
      return index % seeds;
    case 'hash':
    case 'hashFive':
      return [index % seeds, rounds];
  }
}

/**
 * In one piece of memory, as texts are that come out of a file or a socket, and as Python has all of them. What padEnd() makes is
 * a note of two pieces, which whoever reads it first puts together: that would be measured as the way to a child.
 */
const flatText = (index: number, bytes: number): string =>
  Buffer.alloc(bytes, 'x').fill(`${index}:`, 0, `${index}:`.length).toString('latin1');

/** All of them. */
export function itemsOf(task: TaskName, count: number, rounds: number): unknown[] {
  return Array.from({ length: count }, (_, index) => itemOf(task, index, rounds));
}

/** A fingerprint of results in their order, the same in every language: each as text, records as JSON, and a newline. */
export class Fingerprint {
  readonly #hash = createHash('sha256');
  #lines: unknown[] = [];

  add(result: unknown): void {
    this.#lines.push(typeof result === 'object' ? JSON.stringify(result) : result);
    if (this.#lines.length >= batch) this.#flush();
  }

  digest(): string {
    this.#flush();
    return this.#hash.digest('hex');
  }

  #flush(): void {
    if (this.#lines.length > 0) this.#hash.update(`${this.#lines.join('\n')}\n`);
    this.#lines = [];
  }
}

/** The fingerprint of a list. */
export function fingerprintOf(results: Iterable<unknown>): string {
  const fingerprint = new Fingerprint();
  for (const result of results) fingerprint.add(result);
  return fingerprint.digest();
}
