import { createHash } from 'node:crypto';
import { task } from 'shoal';

const block = Buffer.alloc(4096, 'shoal');

/** What a task was: its process, and the CPU time that it took there. */
export interface Work {
  readonly pid: number;
  readonly cpuMs: number;
}

/** Hashes 4 KiB so many times. Work, not a clock: it takes as much CPU however busy the machine is. */
export const hash = task(import.meta, (times: number): Work => {
  // The kernel brings this up to date every few milliseconds only; over many tasks that evens out.
  const before = process.threadCpuUsage();
  for (let time = 0; time < times; time++) createHash('sha256').update(block).digest();
  const { user, system } = process.threadCpuUsage(before);
  return { pid: process.pid, cpuMs: (user + system) / 1000 };
});

/** How many of these hashes a millisecond of CPU time has room for, on this machine and just now. */
export function hashesPerMs(): number {
  hash(2000);
  const times = 40_000;
  const before = process.cpuUsage();
  hash(times);
  const { user, system } = process.cpuUsage(before);
  return (times * 1000) / (user + system);
}
