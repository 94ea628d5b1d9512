import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ShoalError } from '@shoal/errors';
import { systemReason } from '../system-reason.ts';
import { refuseTypedToken } from '../typed-token.ts';
import { usageError } from '../usage-error.ts';

/** The task function that a command line names. */
export interface TaskSpec {
  readonly url: URL;
  /** `default` where the command line names none. */
  readonly export: string;
}

/** Reads `FILE#EXPORT` and makes sure that the file is there. What it exports is seen when it is loaded. */
export function parseTaskSpec(text: string): TaskSpec {
  const hash = text.lastIndexOf('#');
  const path = hash < 0 ? text : text.slice(0, hash);
  const name = hash < 0 ? 'default' : text.slice(hash + 1);
  if (path === '' || name === '') {
    throw usageError(`${text} names no task function`, 'Give FILE#EXPORT, such as ./work.ts#square.');
  }
  refuseTypedToken(path, 'FILE#EXPORT');
  try {
    if (!statSync(path).isFile()) throw new Error('it is no file');
  } catch (error) {
    throw new ShoalError('FILE_NOT_USABLE', { path, reason: systemReason(error) });
  }
  return { url: pathToFileURL(resolve(path)), export: name };
}
