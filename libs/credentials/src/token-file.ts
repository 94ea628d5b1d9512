import { stat } from 'node:fs/promises';
import { bytesText, ShoalError } from '@shoal/errors';
import { ExposedFileError, readPrivateFile } from '@shoal/folders';

/** Whoever calls has one token, of 43 letters. */
const fileBytesMax = 64 * 1024;

/** How long a file with many tokens may be. */
export interface TokenFileLimit {
  readonly bytes: number;
  /** The option that changes it, as the error names it. */
  readonly option: string;
}

/**
 * The text of a file that holds tokens.
 *
 * Errors: `FILE_NOT_USABLE` where others can read it (mode 0600 is asked for; Windows has no such thing), where it is
 * longer than 64 KiB, or than `limit` says, or where it cannot be read.
 */
export async function readTokenFile(path: string, limit?: TokenFileLimit): Promise<string> {
  const refuse = (reason: string, facts: { readonly limitName?: string } = {}): never => {
    throw new ShoalError('FILE_NOT_USABLE', { path, reason, ...facts });
  };
  const found = await stat(path).catch((error: unknown) => refuse(readReason(error)));
  if (!found.isFile()) refuse('it is no file');
  if (limit === undefined && found.size > fileBytesMax) {
    refuse(`it is longer than ${bytesText(fileBytesMax)}, which is no token`);
  }
  if (limit !== undefined && found.size > limit.bytes) {
    refuse(`it has ${found.size} bytes, and may have ${limit.bytes} (${limit.option})`, {
      limitName: 'tokenFileBytes',
    });
  }
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
