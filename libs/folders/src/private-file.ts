import { fsPromises } from './fs-promises.ts';

/** Others on this machine can read a file that is for its owner alone. The message is why, and the remedy. */
export class ExposedFileError extends Error {
  override readonly name = 'ExposedFileError';
}

/** Why a file of this mode is no place for a secret, with the remedy; undefined where it is one, and on Windows. */
export function exposure(path: string, what: string, mode: number): string | undefined {
  if (process.platform === 'win32' || (mode & 0o077) === 0) return undefined;
  const text = (mode & 0o777).toString(8).padStart(4, '0');
  return `others can read this ${what} (mode ${text}); run: chmod 600 ${path}`;
}

/**
 * The text of a file with a secret, which `what` calls by its name.
 *
 * Rejects with an {@link ExposedFileError} where others can read it (mode 0600 is asked for; Windows has no such thing), or
 * with the system's error.
 */
export async function readPrivateFile(path: string, what: string): Promise<string> {
  await using file = await fsPromises().open(path, 'r');
  // Of the file that is read, and not of what lies under its name a moment later.
  const says = exposure(path, what, (await file.stat()).mode);
  if (says !== undefined) throw new ExposedFileError(says);
  return await file.readFile('utf8');
}
