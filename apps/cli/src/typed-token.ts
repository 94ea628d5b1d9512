import { existsSync } from 'node:fs';
import type { Command } from 'commander';
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

/** What a flag or an argument takes, by the word that its help has for it. */
const wanted = (word: string): string =>
  /^FILE\b/.test(word)
    ? 'the name of a file'
    : /^(DIR|dir|folder)$/.test(word)
      ? 'the name of a folder'
      : `<${word}>`;

/** The same of all that was typed for a command, whatever it is for: before anything of it is used or repeated. */
export function refuseTypedTokens(command: Command): void {
  for (const option of command.options) {
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== 'cli') continue;
    const [, word = ''] = /<([^>.]+)/.exec(option.flags) ?? [];
    for (const value of [command.getOptionValue(name) as unknown].flat()) {
      if (typeof value === 'string') refuseTypedToken(value, option.long ?? option.flags, wanted(word));
    }
  }
  command.args.forEach((text, at) => {
    const word = command.registeredArguments[at]?.name() ?? '';
    refuseTypedToken(text, fullName(command), wanted(word));
  });
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}
