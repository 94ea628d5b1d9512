import { checkOptionNames, labelEntriesMax, labelFault, quotedText } from '@shoal/errors';

/**
 * Looks at one option's value; throws a TypeError or RangeError that names the option. Returns what counts from then on: of an
 * object or a list a copy, for which each part was read once. What is read again later may have become something else.
 */
export type OptionCheck = (name: string, value: unknown) => unknown;

/** What `value` is, for a message: `0`, `"four"`, `null`, `an array`, `a function`. */
function shown(value: unknown): string {
  if (typeof value === 'string') return quotedText(value, 40);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return hasNames(value) ? 'an object' : `a ${tagOf(value)}`;
  return String(value);
}

/** A TypeError that names the option, what it may be, and what it is. */
export const wrongType = (name: string, wanted: string, value: unknown): TypeError =>
  new TypeError(`${name} has to be ${wanted}, not ${shown(value)}.`);

/** A whole number from `min` to `max`. */
export function wholeNumber(min: number, max: number = Number.MAX_SAFE_INTEGER): OptionCheck {
  const range =
    max === Number.MAX_SAFE_INTEGER
      ? `a whole number from ${min} up`
      : `a whole number from ${min} to ${max}`;
  return (name, value) => {
    if (typeof value !== 'number') throw wrongType(name, range, value);
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new RangeError(`${name} has to be ${range}, not ${shown(value)}.`);
    }
    return value;
  };
}

/** One of a few words. */
export function oneOf(...words: readonly string[]): OptionCheck {
  const wanted = words.map((word) => `'${word}'`).join(' or ');
  return (name, value) => {
    if (typeof value !== 'string') throw wrongType(name, wanted, value);
    if (!words.includes(value)) throw new RangeError(`${name} has to be ${wanted}, not ${shown(value)}.`);
    return value;
  };
}

/** Either of two checks; the message of the first is shown with `alternative` added. */
export function either(
  accepts: (value: unknown) => boolean,
  alternative: string,
  otherwise: OptionCheck,
): OptionCheck {
  return (name, value) => {
    if (accepts(value)) return value;
    try {
      return otherwise(name, value);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const message = error.message.replace(', not ', ` or ${alternative}, not `);
      throw error instanceof RangeError ? new RangeError(message) : new TypeError(message);
    }
  };
}

/** `true` or `false`. */
export const flag: OptionCheck = (name, value) => {
  if (typeof value !== 'boolean') throw wrongType(name, 'true or false', value);
  return value;
};

/** A function. */
export const callback: OptionCheck = (name, value) => {
  if (typeof value !== 'function') throw wrongType(name, 'a function', value);
  return value;
};

/** A function, or the URL or path of a module that has it. */
export const functionOrModule: OptionCheck = (name, value) => {
  if (typeof value === 'string') return text(name, value);
  if (typeof value !== 'function' && !(value instanceof URL)) {
    throw wrongType(name, 'a function or the URL or path of a module', value);
  }
  return value;
};

/** An array. */
export const list: OptionCheck = (name, value) => {
  if (!Array.isArray(value)) throw wrongType(name, 'an array', value);
  return Array.from<unknown>(value);
};

/** An array of strings. */
export const stringList: OptionCheck = (name, value) => {
  if (!Array.isArray(value)) throw wrongType(name, 'an array of strings', value);
  return Array.from<unknown, string>(value, (element, index) => {
    if (typeof element !== 'string') throw wrongType(`${name}[${index}]`, 'a string', element);
    return element;
  });
};

/** A string with something in it. */
export const text: OptionCheck = (name, value) => {
  if (typeof value !== 'string') throw wrongType(name, 'a string', value);
  if (value === '') throw new RangeError(`${name} is empty.`);
  return value;
};

/** A string of 1 to `charsMax` characters. */
export function shortText(charsMax: number): OptionCheck {
  return (name, value) => {
    text(name, value);
    if ((value as string).length > charsMax) {
      throw new RangeError(`${name} is longer than ${charsMax} characters.`);
    }
    return value;
  };
}

/** An AbortSignal. */
export const abortSignal: OptionCheck = (name, value) => {
  if (!(value instanceof AbortSignal)) throw wrongType(name, 'an AbortSignal', value);
  return value;
};

/** Variable names, or a record from names to values. */
export const environment: OptionCheck = (name, value) => {
  if (Array.isArray(value)) return stringList(name, value);
  if (!isRecord(value) || !hasNames(value))
    throw wrongType(name, 'an array of variable names or a record of values', value);
  const entries = Object.entries(value);
  for (const [variable, content] of entries) {
    if (typeof content !== 'string') throw wrongType(`${name}.${variable}`, 'a string', content);
  }
  return Object.fromEntries(entries);
};

/** Labels: names with values, as {@link labelFault} has them. */
export const labelRecord: OptionCheck = (name, value) => {
  if (!isRecord(value) || !hasNames(value)) throw wrongType(name, 'a record of strings', value);
  const entries = Object.entries(value);
  if (entries.length > labelEntriesMax) {
    throw new RangeError(`${name} has to have at most ${labelEntriesMax} entries, not ${entries.length}.`);
  }
  for (const [label, content] of entries) {
    if (label === '') throw new RangeError(`${name} has an entry without a name.`);
    if (typeof content !== 'string') throw wrongType(`${name}.${label}`, 'a string', content);
    const fault = labelFault(label, content);
    if (fault !== undefined) throw new RangeError(`${name}.${fault}.`);
  }
  return Object.fromEntries(entries);
};

/** Whether a value is an object with properties, neither null nor an array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object with names in it: a Map keeps its own elsewhere, and a Promise was to be awaited. */
const hasNames = (value: object): boolean => ['Object', 'Module'].includes(tagOf(value));

/** What an object is in the language: `Object`, `Array`, `Map`, `Promise`. */
const tagOf = (value: object): string => Object.prototype.toString.call(value).slice('[object '.length, -1);

/**
 * Checks every option of `options` that is not undefined, and that every name is known. Returns a copy, for which each was read
 * once: its own, and those that come by a prototype or a getter of a class, which count as its own. Undefined where there are
 * no options.
 *
 * `where` says whose options they are: `Pool options`, `map options`. `given` is to become the copy: what a caller has to know
 * of options that are refused, too, is in it as it was read.
 */
export function checkOptions(
  where: string,
  options: unknown,
  checks: Readonly<Record<string, OptionCheck>>,
  given: Record<string, unknown> = {},
): Readonly<Record<string, unknown>> | undefined {
  if (options === undefined) return undefined;
  if (!isRecord(options) || !hasNames(options)) throw wrongType(where, 'an object', options);
  const names = Object.keys(checks);
  readOnce(options, names, given);
  checkOptionNames(where, options, names);
  for (const [name, value] of Object.entries(given)) given[name] = checks[name]?.(name, value);
  return given;
}

/** What an object has under these names, its own and others', but for what is undefined. */
export function readOnce(
  options: object,
  names: readonly string[],
  given: Record<string, unknown> = {},
): Record<string, unknown> {
  for (const name of names) {
    const value: unknown = Reflect.get(options, name);
    if (value !== undefined) given[name] = value;
  }
  return given;
}
