import { tmpdir } from 'node:os';
import { ShoalError } from '@shoal/errors';
import { OwnFolder } from '@shoal/folders';

/**
 * Makes the folder in which each child gets an empty one of its own to work in. It goes with the process. `isShared` where
 * children are other users, who may go through it and see nothing. Throws `FILE_NOT_USABLE` where it cannot be made.
 */
export function makeWorkParent(parentDir: string = tmpdir(), isShared: boolean = false): OwnFolder {
  try {
    const folder = OwnFolder.make(parentDir, 'work');
    if (isShared) folder.share();
    return folder;
  } catch (error) {
    const reason = (error as Error).message;
    throw new ShoalError('FILE_NOT_USABLE', { path: parentDir, reason }, { cause: error });
  }
}
