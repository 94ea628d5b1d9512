/** Watches the memory of one child from outside, for an item that never lets the child look itself. */
import { readFileSync } from 'node:fs';
import { bytesText } from '@shoal/errors';

/** An item may take its child this many times over `maxRssBytes` before it is stopped. */
const hardFactor = 2;
const checkMs = 100;
/** Of statm, on every Linux that Node runs on but for some ARM servers, where the limit comes later. */
const pageBytes = 4_096;

export class MemoryGuard {
  readonly #timer: NodeJS.Timeout;

  /** `exceeded` is called once, with what to say about it. Without /proc nobody watches. `pid`: once it is known. */
  constructor(pid: () => number | undefined, maxRssBytes: number, exceeded: (why: string) => void) {
    const limit = hardFactor * maxRssBytes;
    this.#timer = setInterval(() => {
      const number = pid();
      const bytes = number === undefined ? undefined : rssOf(number);
      if (bytes === undefined || bytes <= limit) return;
      this.stop();
      exceeded(
        `It had ${bytesText(bytes)}, over ${hardFactor} times maxRssBytes (${bytesText(maxRssBytes)}), and was killed.`,
      );
    }, checkMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function rssOf(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * pageBytes;
  } catch {
    return undefined;
  }
}

/** How much it had, and the limit, where a process was killed for its memory: the last of what is told of its stderr. */
export function memoryDeathIn(stderrTail: string): string | undefined {
  return /(?:^|\n)It had (.+, over \d+ times maxRssBytes \(.+\)), and was killed\.$/.exec(stderrTail)?.[1];
}
