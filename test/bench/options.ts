import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';

/** An option of a script: what holds where it is not given, and how its text is read, or refused with what it has to be. */
export interface Option<T> {
  readonly fallback: T;
  /** Throws an Error with what the text should have been. */
  readonly read: (text: string) => T;
}

type Options = Readonly<Record<string, Option<unknown>>>;
type ValuesOf<T extends Options> = { readonly [name in keyof T]: T[name]['fallback'] };

/** A whole number from `least` to `most`. */
export const whole = (fallback: number, least = 1, most = Number.MAX_SAFE_INTEGER): Option<number> => ({
  fallback,
  read: (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most) return value;
    const upTo = most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}`;
    throw new Error(`a whole number from ${least}${upTo}`);
  },
});

/** A number above 0, as of seconds. */
export const positive = (fallback: number): Option<number> => ({
  fallback,
  read: (text) => {
    const value = Number(text);
    if (Number.isFinite(value) && value > 0) return value;
    throw new Error('a number above 0');
  },
});

/** One of some names. */
export const oneOf = <const T extends string>(names: readonly T[], fallback: NoInfer<T>): Option<T> => ({
  fallback,
  read: (text) => {
    const found = names.find((name) => name === text);
    if (found !== undefined) return found;
    throw new Error(`there is ${names.join(', ')}`);
  },
});

/** Yes where it is given. */
export const flag: Option<boolean> = { fallback: false, read: () => true };

/** Some of the names, with commas between. */
export const someOf = <const T extends string>(
  names: readonly T[],
  fallback: readonly T[] = names,
): Option<readonly T[]> => ({
  fallback,
  read: (text) => text.split(',').map(oneOf(names, names[0] as T).read),
});

/** What a script was given. Nonsense ends the process with code 2 and a line that names the option, before anything is done. */
export function optionsOf<T extends Options>(options: T): ValuesOf<T> {
  return refusing(() => {
    const { values } = parseArgs({ options: textsOf(options) });
    return read(options, values);
  });
}

/** The same of a script that needs a folder besides, named `name` where it is missing. */
export function optionsAndFolderOf<T extends Options>(
  options: T,
  name: string,
): { readonly values: ValuesOf<T>; readonly folder: string } {
  return refusing(() => {
    const { values, positionals } = parseArgs({ options: textsOf(options), allowPositionals: true });
    const [folder, ...others] = positionals;
    if (folder === undefined || others.length > 0) throw new Error(`One folder is needed: ${name}`);
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      throw new Error(`${folder}: there is no such folder. It has to be ${name}`);
    }
    return { values: read(options, values), folder };
  });
}

const textsOf = (options: Options): Record<string, { readonly type: 'string' | 'boolean' }> =>
  Object.fromEntries(
    Object.entries(options).map(([name, option]) => [name, { type: option === flag ? 'boolean' : 'string' }]),
  );

function read<T extends Options>(options: T, texts: Readonly<Record<string, unknown>>): ValuesOf<T> {
  const values = Object.entries(options).map(([name, option]) => {
    const text = texts[name];
    if (option === flag) return [name, text === true];
    return [name, typeof text === 'string' ? readOption(name, text, option) : option.fallback];
  });
  return Object.fromEntries(values) as ValuesOf<T>;
}

/** The value of one option; throws an Error that names it. */
export function readOption<T>(name: string, text: string, { read }: Option<T>): T {
  try {
    return read(text);
  } catch (error) {
    throw new Error(`--${name} ${text}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function refusing<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  }
}
