import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, makeFolder, processHome, startOf } from '@shoal/folders';

/** Where agents with users of their own find each other: gone with the machine's end, and root's alone, as they are. */
export const claimsDir = '/run/shoal';

const claimName = /^users-(\d+)-(\d+)-([0-9a-f]{8})-(\d+)-(\d+)-\d+$/;
let claims = 0;

/**
 * A file whose name says who has which users: the process, and when that started, for numbers of processes are used
 * again. One of a process that is no more counts for nothing, and is removed by whoever sees it.
 *
 * One of another container does not count either: nobody can end the processes of another container beside his own.
 */
export class ClaimFile {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Claims users: 'taken' where a living process has some of them. Two that claim the same at the same moment may both be
   * told so; never are both told otherwise. Undefined where there can be no file, as in a container whose root is read-only.
   */
  static take(dir: string, first: number, last: number): ClaimFile | 'taken' | undefined {
    claims += 1;
    const { pid } = process;
    const name = `users-${first}-${last}-${processHome()}-${pid}-${startOf(pid)}-${claims}`;
    try {
      makeFolder(dir);
      writeFileSync(join(dir, name), '', { flag: 'wx', mode: 0o600 });
    } catch {
      return undefined;
    }
    const claim = new ClaimFile(join(dir, name));
    // Looked at after one's own is there: whoever comes later sees it.
    if (!readdirSync(dir).some((other) => other !== name && stands(dir, other, first, last))) return claim;
    claim.release();
    return 'taken';
  }

  release(): void {
    rmSync(this.#path, { force: true });
  }
}

function stands(dir: string, name: string, first: number, last: number): boolean {
  const [, from, to, home, pid, start] = claimName.exec(name) ?? [];
  if (home !== processHome() || pid === undefined || start === undefined) return false;
  if (!isAlive(Number(pid), start)) {
    rmSync(join(dir, name), { force: true });
    return false;
  }
  return Number(to) >= first && Number(from) <= last;
}
