import { randomBytes } from 'node:crypto';
import { open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { ShoalError } from '@shoal/errors';
import { systemReason } from './system-reason.ts';

/**
 * Writes a file that its owner alone can read, whole or not at all, also where it was there with another mode. A pipe or a
 * device is written to as it is. Errors: `FILE_NOT_USABLE`.
 */
export async function writeSecret(path: string, text: string): Promise<void> {
  try {
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (found === undefined) await replace(path, text);
    else if (found.isFile()) await replace(await realpath(path), text);
    else await writeFile(path, text);
  } catch (error) {
    throw new ShoalError('FILE_NOT_USABLE', { path, reason: systemReason(error) }, { cause: error });
  }
}

/** In a file of its own: whoever has opened the earlier one, while others could read it, would read this one as well. */
async function replace(path: string, text: string): Promise<void> {
  const unfinished = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    await using file = await open(unfinished, 'wx', 0o600);
    await file.writeFile(text);
    await file.sync();
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
