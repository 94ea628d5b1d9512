import { chownSync, mkdtempSync, rm } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OwnFolder } from '@shoal/folders';

/** An empty folder for one child to work in, which goes with it. */
export class WorkFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes one (mode 0700). Throws what Node says where that cannot be done. */
  static make(parentDir: string): WorkFolder {
    return new WorkFolder(mkdtempSync(join(parentDir, 'work-')));
  }

  /** It belongs to this user from now on. */
  giveTo(uid: number): void {
    chownSync(this.path, uid, uid);
  }

  /** Removes it with all that is in it. What cannot be removed goes with the folder that it was made in. */
  remove(): void {
    rm(this.path, { recursive: true, force: true }, () => {});
  }
}

let parent: OwnFolder | undefined;

/** The folder of this process for such folders, made when it is asked for first; it goes with the process. */
export function workParentDir(): string {
  if (parent !== undefined) return parent.path;
  OwnFolder.removeDead(tmpdir());
  parent = OwnFolder.make(tmpdir(), 'pool');
  return parent.path;
}
