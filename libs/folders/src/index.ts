/** Folders that bear the process that made them, and how one is told from another. */
export { makeFolder } from './make-folder.ts';
export { type FolderKind, OwnFolder } from './own-folder.ts';
export { isAlive, processHome, startOf } from './process-identity.ts';
