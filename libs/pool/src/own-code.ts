import { fileURLToPath } from 'node:url';

const folder = new URL('.', import.meta.url);

/** Where the code of this package lies, as frames of a stack name it: by URL or by path, whoever loaded it. */
export const ownFolders: readonly string[] = [folder.href, fileURLToPath(folder)];
