/**
 * Processes that were killed and that nobody tells of: those of a fork server that is gone. One that holds much memory takes
 * a while to die, and whoever ends a pool removes next what it worked in.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** So long they may take; one that hangs in the kernel is waited for no longer. */
const waitMs = 10_000;
const lookMs = 5;

interface Departure {
  readonly pid: number;
  /** When it started: numbers are used again. */
  readonly start: string;
}

export class Departures {
  #open: Departure[] = [];

  /** This process was killed just now, or is about to be. */
  add(pid: number | undefined): void {
    this.#open = this.#open.filter(isThere);
    const start = pid === undefined ? undefined : startOf(pid);
    if (pid !== undefined && start !== undefined) this.#open.push({ pid, start });
  }

  /** Resolves when all are gone. */
  async over(): Promise<void> {
    for (let waited = 0; waited < waitMs; waited += lookMs) {
      this.#open = this.#open.filter(isThere);
      if (this.#open.length === 0) return;
      await sleep(lookMs);
    }
  }
}

/** The children of a process; none where the system does not tell. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

const isThere = ({ pid, start }: Departure): boolean => startOf(pid) === start;

/** Undefined where there is no such process, or nothing of it but its number: whoever is to bury it may never do so. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program comes second, in parentheses, and may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
