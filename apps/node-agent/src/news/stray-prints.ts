import { type Print, PrintStream } from '@shoal/protocol';
import type { Log } from '../log.ts';

/** So much of what a group's children print between two jobs is kept for the next one, in characters. */
const keptCharsMax = 16 * 1024;
/** Groups for which something is kept; clients come and go. */
const groupsMax = 100;

interface Kept {
  readonly prints: Print[];
  chars: number;
  dropped: number;
}

/**
 * What children print while their group has no job on this agent: a timer that an item has left behind, the exception
 * that ends an idle child.
 *
 * No client listens then. It is kept for the group's next job here, and logged, so that it is known even if none comes;
 * what is too much for the one is too much for the other, and is counted.
 */
export class StrayPrints {
  readonly #log: Log;
  readonly #kept = new Map<string, Kept>();

  constructor(log: Log) {
    this.#log = log;
  }

  add(group: string, print: Print): void {
    const kept = this.#kept.get(group) ?? { prints: [], chars: 0, dropped: 0 };
    // Heard of last: forgotten last.
    this.#kept.delete(group);
    this.#kept.set(group, kept);
    if (kept.chars + print.text.length > keptCharsMax) kept.dropped += Buffer.byteLength(print.text);
    else {
      kept.prints.push(print);
      kept.chars += print.text.length;
      this.#log.info({ event: 'print.unread', pid: print.pid, group }, print.text);
    }
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > groupsMax && oldest !== undefined) this.#kept.delete(oldest);
  }

  /** What was kept for a group: its client listens again. */
  take(group: string): Print[] {
    const kept = this.#kept.get(group);
    if (kept === undefined) return [];
    this.#kept.delete(group);
    if (kept.dropped === 0) return kept.prints;
    const bytes = kept.dropped.toLocaleString('en-US');
    const text = `… ${bytes} more bytes that were printed since the last job were dropped: an agent keeps 16 KiB`;
    const stream = PrintStream.STDERR;
    const pid = process.pid;
    return [...kept.prints, { stream, agent: '', pid, index: undefined, task: '', text }];
  }
}
