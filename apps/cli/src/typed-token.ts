import { existsSync } from 'node:fs';
import { usageError } from './usage-error.ts';

const joinToken = /^shoal-join\.[\w-]{43}\.[\w-]{43}$/;
const secret = /^[\w-]{43,128}$/;
/** What chance makes has all of them; a long name that somebody chose hardly ever has. */
const kinds: readonly RegExp[] = [/[a-z]/, /[A-Z]/, /[0-9]/];

/** Whether what was typed is a token, as `shoal token` makes them. Here, for it is asked before anything is loaded. */
function isToken(text: string): boolean {
  return joinToken.test(text) || (secret.test(text) && kinds.every((kind) => kind.test(text)));
}

/**
 * Refuses a token where a file or a folder has to be named, and does not repeat it.
 *
 * Errors: `USAGE`: every user of the machine can read the arguments of a command.
 */
export function refuseTypedToken(text: string, flag: string, wants: string = 'the name of a file'): void {
  if (!isToken(text) || existsSync(text)) return;
  throw usageError(
    `${flag} takes ${wants}, not the token: everybody on this machine can read the arguments of a command`,
    'Put it into a file with mode 0600, or into SHOAL_TOKEN. Make another token now: this one was seen.',
  );
}
