import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { crypto } from './crypto.ts';

/** What lies in a folder: users' code on an agent; shared values of a pool; what children of an agent work in. */
export type FolderKind = 'bundles' | 'pool' | 'work';

/**
 * Makes a folder (mode 0700) that bears its owner: this machine, this process, and when that started, for numbers of
 * processes are used again.
 */
export function makeOwnFolder(parentDir: string, kind: FolderKind): string {
  const { pid } = process;
  return mkdtempSync(join(parentDir, `shoal-${kind}-${home()}-${pid}-${startOf(pid) ?? unknownStart}-`));
}

/** Removes the folders of processes that are no more: one that was killed could not do so itself. */
export function removeDeadFolders(parentDir: string): void {
  for (const name of names(parentDir)) {
    const [, place, pid, start] = folderName.exec(name) ?? [];
    if (place !== home() || pid === undefined || start === undefined) continue;
    if (isAlive(Number(pid), start)) continue;
    try {
      rmSync(join(parentDir, name), { recursive: true, force: true });
    } catch {
      // Another user's: that user's processes remove it.
    }
  }
}

const folderName = /^shoal-(?:bundles|pool|work)-([0-9a-f]{8})-(\d+)-(\d+)-/;
/** Where a system does not say when a process started. */
const unknownStart = '0';

/** Where a process number means something: a folder for temporary files may be shared by machines and containers. */
function home(): string {
  let namespace = '';
  try {
    namespace = readlinkSync('/proc/self/ns/pid');
  } catch {
    // Only Linux has it.
  }
  return crypto().createHash('sha256').update(`${hostname()} ${namespace}`).digest('hex').slice(0, 8);
}

function isAlive(pid: number, start: string): boolean {
  const now = startOf(pid);
  if (now !== undefined && start !== unknownStart) return now === start;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
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

function names(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
