/** What a process has by chance, or is given by the system, for `recycles.ts`: no two may have the same. */
import { randomInt } from 'node:crypto';
import { mkdtempSync } from 'node:fs';

export interface Identity {
  readonly pid: number;
  readonly random: number;
  readonly integer: number;
  readonly uuid: string;
  readonly folder: string;
}

/** `start`: how the path of a temporary folder begins. */
export function identity(start: string): Identity {
  return {
    pid: process.pid,
    random: Math.random(),
    integer: randomInt(2 ** 48 - 1),
    uuid: crypto.randomUUID(),
    folder: mkdtempSync(start),
  };
}
