/** What the kernel says of other processes (Linux). */
import { readFileSync } from 'node:fs';

const MiB = 2 ** 20;

/** Resident memory in MiB: now, and at its highest since the process started. */
export function memoryOf(pid: number): { readonly nowMiB: number; readonly mostMiB: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
  return { nowMiB: (kib('VmRSS') * 1024) / MiB, mostMiB: (kib('VmHWM') * 1024) / MiB };
}

/** `T` is a process that was stopped. */
export function stateOf(pid: number | undefined): string {
  if (pid === undefined) return '';
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name before it may contain anything.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[0] ?? '';
}
