import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { fsPromises } from './fs-promises.ts';
import { isAlive, processHome, startOf } from './process-identity.ts';

/**
 * What lies in a folder: users' code on an agent; shared values of a pool; what a coordinator's memory has no room for;
 * what children work in.
 */
export type FolderKind = 'bundles' | 'pool' | 'spill' | 'work';

/** How often a living process marks its folders. */
const markEveryMs = 60_000;
/** A folder from elsewhere that nobody has marked for so long is a dead one's, whatever clocks of machines differ by. */
const forgottenMs = 60 * markEveryMs;
const folderName = /^shoal-(?:bundles|pool|spill|work)-([0-9a-f]{8})-(\d+)-(\d+)-/;

/**
 * A folder for this process alone, which goes with it.
 *
 * Its name bears its owner: the machine or container, the process, and when that started, for numbers of processes are
 * used again. A process that is killed cannot remove it; the next one that looks into the folder above does.
 */
export class OwnFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
    keep(this);
  }

  /** Makes one (mode 0700) in a folder that is there. Throws the system's error. */
  static make(parentDir: string, kind: FolderKind): OwnFolder {
    const { pid } = process;
    const prefix = `shoal-${kind}-${processHome()}-${pid}-${startOf(pid)}-`;
    return new OwnFolder(mkdtempSync(join(parentDir, prefix)));
  }

  /**
   * Removes the folders of processes that are no more. Containers give the same small numbers again and again, and may share
   * a folder: so one of another home is told by its mark alone.
   */
  static removeDead(parentDir: string): void {
    const home = processHome();
    for (const name of names(parentDir)) {
      const [, place, pid, start] = folderName.exec(name) ?? [];
      if (pid === undefined || start === undefined) continue;
      const path = join(parentDir, name);
      try {
        const isDead = place === home ? !isAlive(Number(pid), start) : isForgotten(path);
        if (isDead) rmSync(path, { recursive: true, force: true });
      } catch {
        // Another user's, whose processes remove it; or another process does so at this moment.
      }
    }
  }

  /** Cleaners of folders for temporary files may have deleted it. */
  get isThere(): boolean {
    return existsSync(this.path);
  }

  /** Other users may go through it, and open what they know the name of; nobody may list it. */
  share(): void {
    chmodSync(this.path, 0o711);
  }

  /** Says that its owner lives, to those who cannot see the process. */
  mark(): void {
    const now = new Date();
    try {
      utimesSync(this.path, now, now);
    } catch {
      // Somebody has deleted it: whoever needs it next finds that out.
    }
  }

  /** Removes it with all that is in it. Rejects with the system's error, and tries again at the end of the process then. */
  async remove(): Promise<void> {
    await fsPromises().rm(this.path, { recursive: true, force: true });
    letGo(this);
  }

  /** The same, while everybody waits. */
  removeSync(): void {
    rmSync(this.path, { recursive: true, force: true });
    letGo(this);
  }
}

/** All that this process has. One timer and one listener serve them all, and neither keeps the process. */
const own = new Set<OwnFolder>();
let marking: NodeJS.Timeout | undefined;

function keep(folder: OwnFolder): void {
  own.add(folder);
  if (marking !== undefined) return;
  marking = setInterval(() => {
    for (const each of own) each.mark();
  }, markEveryMs).unref();
  process.once('exit', removeAll);
}

function letGo(folder: OwnFolder): void {
  own.delete(folder);
  if (own.size > 0) return;
  clearInterval(marking);
  marking = undefined;
  process.removeListener('exit', removeAll);
}

function removeAll(): void {
  for (const folder of own) {
    try {
      folder.removeSync();
    } catch {
      // The next process that looks does it.
    }
  }
}

const isForgotten = (path: string): boolean => Date.now() - statSync(path).mtimeMs > forgottenMs;

function names(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
