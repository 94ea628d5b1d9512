import { readFileSync } from 'node:fs';

/** Whether this machine has a process of that number. One that has ended and waits to be buried is gone, under a lazy init for ever. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
