import { readFile, stat } from 'node:fs/promises';
import { ShoalError } from '@shoal/errors';

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
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => refuse(readReason(error)));
  if (!found.isFile()) refuse('it is no file');
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
    const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
    refuse(`others can read this token (mode ${mode}); run: chmod 600 ${path}`);
  }
  if (found.size > fileBytesMax) refuse('it is longer than 64 KiB, which is no token');
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => refuse(readReason(error)));
}

/** Why a file cannot be read, in words. */
export function readReason(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'it does not exist';
  if (error.code === 'EACCES' || error.code === 'EPERM') return 'this user may not read it';
  return `it cannot be read (${error.code ?? error.message})`;
}
