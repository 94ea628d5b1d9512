import { existsSync } from 'node:fs';
import { hasToken } from './token-shape.ts';
import { usageError } from './usage-error.ts';

/**
 * Refuses a token, or a line of a token file, where something else has to be named, and does not repeat it.
 *
 * Errors: `USAGE`: every user of the machine can read the arguments of a command.
 */
export function refuseTypedToken(text: string, flag: string, wants: string = 'the name of a file'): void {
  if (!hasToken(text) || existsSync(text)) return;
  throw usageError(
    `${flag} takes ${wants}, not the token: everybody on this machine can read the arguments of a command`,
    'Put it into a file with mode 0600, or into SHOAL_TOKEN. Make another token now: this one was seen.',
  );
}
