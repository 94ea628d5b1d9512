import { open } from 'node:fs/promises';
import { ShoalError } from '@shoal/errors';
import { systemReason } from './system-reason.ts';

/** Writes a file that its owner alone can read, also where it was there with another mode. */
export async function writeSecret(path: string, text: string): Promise<void> {
  try {
    await using file = await open(path, 'w', 0o600);
    await file.chmod(0o600);
    await file.writeFile(text);
  } catch (error) {
    throw new ShoalError('FILE_NOT_USABLE', { path, reason: systemReason(error) }, { cause: error });
  }
}
