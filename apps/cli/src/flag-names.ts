import { resolve } from 'node:path';
import { ShoalError, shownText } from '@shoal/errors';
import type { Command } from 'commander';

/** What an option is called in code where its flag is not called so. */
const namesInCode: Readonly<Record<string, string>> = {
  timeout: 'timeoutMs',
  deadline: 'deadlineMs',
  ttl: 'ttlMs',
};

/** Errors whose reason is somebody else's text: a word in it that is called as an option is none. */
const foreign: readonly string[] = [
  'CHILD_START_FAILED',
  'INITIALIZER_FAILED',
  'INPUT_INVALID',
  'ITEM_THREW',
  'TASK_BUNDLE_FAILED',
  'TASK_LOAD_FAILED',
];

/** A flag with the file or folder that was typed behind it. */
interface TypedPath {
  readonly flag: string;
  readonly path: string;
  readonly isFolder: boolean;
}

/** What errors say of the streams of a command: no file in its folder is meant. */
const unnamed: readonly string[] = ['stdin', 'stdout'];

/** What a flag takes, where that is a file or a folder: `--token <FILE>`, `--bundle-dir <dir>`. */
const pathKind = /<(?:(FILE)|DIR|dir|folder)\b/;

/**
 * The flags of a command by what they are called in code: errors name options as callers in TypeScript write them, and
 * whoever types a command has to read what he can type.
 */
export class FlagNames {
  readonly #flags: ReadonlyMap<string, string>;
  readonly #typed: readonly TypedPath[];

  private constructor(flags: ReadonlyMap<string, string>, typed: readonly TypedPath[]) {
    this.#flags = flags;
    this.#typed = typed;
  }

  /** Those of a command; none where none runs yet. */
  static of(command: Command | undefined): FlagNames {
    const options = command?.options ?? [];
    const entries = options.flatMap((option) => {
      const name = option.attributeName();
      return [name, namesInCode[name] ?? name].map((each) => [each, option.long ?? ''] as const);
    });
    const typed = options.flatMap((option): TypedPath[] => {
      const value: unknown = command?.getOptionValue(option.attributeName());
      const kind = pathKind.exec(option.flags);
      if (kind === null || typeof value !== 'string' || value === '') return [];
      return [{ flag: option.long ?? '', path: value, isFolder: kind[1] === undefined }];
    });
    return new FlagNames(new Map(entries), typed);
  }

  /** The message of an error for whoever typed the command. */
  textOf(error: ShoalError): string {
    const { path, reason } = error.facts;
    if (error.code === 'FILE_NOT_USABLE' && typeof path === 'string')
      return `${error.message}${this.#behind(path)}`;
    if (typeof reason !== 'string' || reason === '' || !foreign.includes(error.code))
      return this.in(error.message);
    return error.message
      .split(shownText(reason))
      .map((part) => this.in(part))
      .join(shownText(reason));
  }

  /** The flags that a file or folder was named with, in parentheses: that of the innermost folder that it is in. */
  #behind(path: string): string {
    // Whoever joins a folder with the name of a file writes it in another way than it was typed: ./DIR becomes DIR.
    const where = unnamed.includes(path) ? path : resolve(path);
    const behind = this.#typed
      .map((typed) => ({ ...typed, path: resolve(typed.path) }))
      .filter(
        (typed) =>
          where === typed.path || (typed.isFolder && where.startsWith(`${typed.path.replace(/\/$/, '')}/`)),
      );
    const longest = Math.max(...behind.map((typed) => typed.path.length));
    const flags = behind.filter((typed) => typed.path.length === longest).map(({ flag }) => flag);
    return flags.length === 0 ? '' : ` (${flags.join(' or ')})`;
  }

  /** A text with flags in it in place of the names of options. */
  in(text: string): string {
    return (
      text
        // A name at the head is what the text is about; elsewhere one of small letters alone is a word like others.
        .replace(
          /^(?:options\.)?(\w+)(?=: | must | has to | is \d)/,
          (all, name: string) => this.#flags.get(name) ?? all,
        )
        .replace(/\b[a-z]+(?:[A-Z][a-z0-9]*)+\b/g, (name) => this.#flags.get(name) ?? name)
        // Where both were named.
        .replace(/(--[\w-]+)(:?) \(\1\)/g, '$1$2')
    );
  }
}

/** No command, no flags: for what goes wrong before one is found. */
export const noFlags: FlagNames = FlagNames.of(undefined);

/** Runs a check of options that says in a TypeError or RangeError what is wrong; here that is a wrong command. */
export function checkedAs(flags: FlagNames, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    throw new ShoalError('USAGE', { reason: flags.in(error.message).replace(/\.$/, ''), hint: '' });
  }
}
