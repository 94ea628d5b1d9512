import { chmodSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { ShoalError } from '@shoal/errors';
import { makeOwnFolder } from '@shoal/pool';

/** The folder in which each child gets an empty one of its own to work in. It goes with the process. */
export class WorkParent {
  readonly path: string;
  readonly #removeAtExit: () => void;

  private constructor(path: string) {
    this.path = path;
    this.#removeAtExit = () => rmSync(path, { recursive: true, force: true });
    process.once('exit', this.#removeAtExit);
  }

  /**
   * Makes it; `isShared` where children are other users, who may go through it and see nothing. Throws
   * `FILE_NOT_USABLE` where it cannot be made.
   */
  static make(parentDir: string = tmpdir(), isShared: boolean = false): WorkParent {
    try {
      const path = makeOwnFolder(parentDir, 'work');
      if (isShared) chmodSync(path, 0o711);
      return new WorkParent(path);
    } catch (error) {
      const reason = (error as Error).message;
      throw new ShoalError('FILE_NOT_USABLE', { path: parentDir, reason }, { cause: error });
    }
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    process.removeListener('exit', this.#removeAtExit);
  }
}
