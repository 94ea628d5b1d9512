import { stat } from 'node:fs/promises';
import { ShoalError } from '@shoal/errors';
import { ExposedFileError, readPrivateFile } from '@shoal/folders';

const fileBytesMax = 64 * 1024;

/**
 * The text of a file that holds tokens.
 *
 * Errors: `FILE_NOT_USABLE` where others can read it (mode 0600 is asked for; Windows has no such thing), where it is
 * longer than 64 KiB, or where it cannot be read.
 */
export async function readTokenFile(path: string): Promise<string> {
  const refuse = (reason: string): never => {
    throw new ShoalError('FILE_NOT_USABLE', { path, reason });
  };
  const found = await stat(path).catch((error: unknown) => refuse(readReason(error)));
  if (!found.isFile()) refuse('it is no file');
  if (found.size > fileBytesMax) refuse('it is longer than 64 KiB, which is no token');
  return readPrivateFile(path, 'token').catch((error: unknown) => refuse(readReason(error)));
}

/** Why a file cannot be read, in words. */
export function readReason(error: unknown): string {
  if (error instanceof ExposedFileError) return error.message;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'it does not exist';
  if (code === 'EACCES' || code === 'EPERM') return 'this user may not read it';
  return `it cannot be read (${code ?? message})`;
}
