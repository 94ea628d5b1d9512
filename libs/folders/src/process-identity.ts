import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Where a system does not say when a process started. */
const unknownStart = '0';

/** Where a process number means something: this machine, and this container of it. Eight hexadecimal digits. */
export function processHome(): string {
  let namespace = '';
  try {
    namespace = readlinkSync('/proc/self/ns/pid');
  } catch {
    // Only Linux has it.
  }
  // Loaded when it is needed: it is the largest of Node's modules, and `import 'shoal'` is light.
  const { createHash } = process.getBuiltinModule('node:crypto');
  return createHash('sha256').update(`${hostname()} ${namespace}`).digest('hex').slice(0, 8);
}

/**
 * Whether the process of this home that had this number at this time lives: numbers are used again. A process of another
 * user counts; where nobody can know, it lives.
 */
export function isAlive(pid: number, start: string): boolean {
  const now = startOf(pid);
  if (now !== unknownStart && start !== unknownStart) return now === start;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** When a process started, in ticks since the machine did; `'0'` where there is none, or the system does not say. */
export function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program comes second, in parentheses, and may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? unknownStart;
  } catch {
    return unknownStart;
  }
}
