import { realpath, stat, writeFile } from 'node:fs/promises';
import { replaceFile } from '@shoal/credentials';
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
    // In a file of its own: whoever has opened the earlier one, while others could read it, would read this one as well.
    if (found === undefined) await replaceFile(path, text, 0o600);
    else if (found.isFile()) await replaceFile(await realpath(path), text, 0o600);
    else await writeFile(path, text);
  } catch (error) {
    throw new ShoalError('FILE_NOT_USABLE', { path, reason: systemReason(error) }, { cause: error });
  }
}
