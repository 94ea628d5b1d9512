/** Folders that bear the process that made them, how one is told from another, and files for their owner alone. */
export { makeFolder } from './make-folder.ts';
export { type FolderKind, OwnFolder } from './own-folder.ts';
export { ExposedFileError, exposure, readPrivateFile } from './private-file.ts';
export { isAlive, processHome, startOf } from './process-identity.ts';
