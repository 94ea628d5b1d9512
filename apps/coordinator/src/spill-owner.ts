import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, utimesSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** How often a living coordinator marks its folder. */
export const markEveryMs = 60_000;
/** A folder from elsewhere that nobody has marked for so long is a dead one's, whatever clocks of machines differ by. */
const forgottenMs = 60 * markEveryMs;
const folderName = /^shoal-spill-([0-9a-f]{8})-(\d+)-(\d+)-/;
/** Where a system does not say when a process started. */
const unknownStart = '0';

/** Makes a folder that bears its owner: where its number means something, that number, and when it started. */
export function makeSpillFolder(parent: string): string {
  const { pid } = process;
  return mkdtempSync(join(parent, `shoal-spill-${home()}-${pid}-${startOf(pid) ?? unknownStart}-`));
}

/** Says that the owner of a folder lives, to those who cannot see its process. */
export function markSpillFolder(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // Somebody has deleted it: the next write makes another one.
  }
}

/**
 * Deletes what coordinators left that are no more. Containers give the same small numbers again and again, and may share
 * this folder: so one of another place is told by its mark alone.
 */
export function removeDeadSpillFolders(parent: string): void {
  for (const name of readdirSync(parent)) {
    const [, place, pid, start] = folderName.exec(name) ?? [];
    if (pid === undefined || start === undefined) continue;
    const path = join(parent, name);
    try {
      const isDead =
        place === home() ? !isAlive(Number(pid), start) : Date.now() - statSync(path).mtimeMs > forgottenMs;
      if (isDead) rmSync(path, { recursive: true, force: true });
    } catch {
      // Another user's, or another coordinator deletes it at this moment.
    }
  }
}

/** Where a process number means something: this machine, and this container of it. */
function home(): string {
  let namespace = '';
  try {
    namespace = readlinkSync('/proc/self/ns/pid');
  } catch {
    // Only Linux has it.
  }
  return createHash('sha256').update(`${hostname()} ${namespace}`).digest('hex').slice(0, 8);
}

function isAlive(pid: number, start: string): boolean {
  const now = startOf(pid);
  if (now !== undefined && start !== unknownStart) return now === start;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** When a process started, in ticks since the machine did; undefined where there is none, or the system does not say. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program comes second, in parentheses, and may hold anything.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
