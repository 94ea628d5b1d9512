import { appendFileSync, readFileSync } from 'node:fs';

/** One start of an item, as the task function itself wrote it down. */
export interface Execution {
  readonly item: number;
  readonly agent: string;
  readonly pid: number;
  /** From 1. */
  readonly attempt: number;
  /** Unix milliseconds. */
  readonly atMs: number;
}

/** Writes an execution down. A line of this size is appended whole or not at all, whoever else writes. */
export function enter(path: string, execution: Execution): void {
  appendFileSync(path, `${JSON.stringify(execution)}\n`);
}

/** The book of executions: what really ran, where and when, whatever anybody says. */
export class Book {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Every start of an item, in order. */
  executions(): Execution[] {
    let text = '';
    try {
      text = readFileSync(this.path, 'utf8');
    } catch {
      // Nothing has run yet.
    }
    // The last line may be under way.
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Execution);
  }

  /** How often each item of `0 … count-1` was started. */
  starts(count: number): number[] {
    const starts = Array.from({ length: count }, () => 0);
    for (const { item } of this.executions()) starts[item] = (starts[item] ?? 0) + 1;
    return starts;
  }
}
