import { quotedText } from './shown-text.ts';
import { nearestName } from './suggestion.ts';

/**
 * Refuses an object with an option that nobody knows: misspelled, it would be ignored in silence.
 *
 * Throws a TypeError that names it, and the option that was meant. `where` says whose options they are: `Pool options`.
 */
export function checkOptionNames(where: string, given: object, known: readonly string[]): void {
  for (const name of namesOf(given)) {
    if (known.includes(name)) continue;
    const nearest = nearestName(name, known);
    const advice = nearest === undefined ? `There are: ${known.join(', ')}.` : `Did you mean ${nearest}?`;
    throw new TypeError(`${where}: there is no option ${quotedText(name)}. ${advice}`);
  }
}

/** The names in an object and in its prototypes, whose fields are used as its own; but for that of all objects, of any realm. */
function namesOf(given: object): string[] {
  const names = Object.keys(given);
  let from: object | null = Object.getPrototypeOf(given);
  while (from !== null) {
    const next: object | null = Object.getPrototypeOf(from);
    if (next !== null) names.push(...Object.keys(from));
    from = next;
  }
  return names;
}

/** What an option is, as `typeof` says it; a list is no object of options, and a log is what takes lines at every level. */
export type OptionKind = 'boolean' | 'list' | 'log' | 'number' | 'object' | 'string';

/** Refuses options that are no object with names in it: a list, a Map or a Date has none. Throws a TypeError. */
export function checkIsOptions(where: string, given: unknown, verb = 'must be'): asserts given is object {
  const kind = kindOf(given);
  if (kind !== 'object') throw new TypeError(`${where} ${verb} an object, not ${kind}.`);
}

/** The same by a table, where every option that is given has to be of its kind too. Throws a TypeError that names it. */
export function checkOptionKinds(
  where: string,
  given: unknown,
  kinds: Readonly<Record<string, OptionKind>>,
): void {
  checkIsOptions(where, given);
  checkOptionNames(where, given, Object.keys(kinds));
  for (const [name, value] of Object.entries(given)) {
    const kind = kinds[name];
    if (value === undefined) continue;
    if (kind === 'log') checkLog(name, value);
    else if (kindOf(value) !== kind) {
      const article = kind === 'object' ? 'an' : 'a';
      throw new TypeError(`${name} must be ${article} ${kind}, not ${kindOf(value)}.`);
    }
  }
}

/** Refuses a path that the system would tell of without the option that it came from. Throws a RangeError that names it. */
export function checkPath(name: string, path: string): void {
  if (path === '') throw new RangeError(`${name} must be a path, not "".`);
  if (path.includes('\0'))
    throw new RangeError(`${name} must be a path without a NUL in it, not ${quotedText(path)}.`);
}

const logMethods = ['debug', 'info', 'warn', 'error'] as const;

/** One without a method would be missed when there is something to say, and end the process. */
function checkLog(name: string, log: unknown): void {
  const kind = kindOf(log);
  const wanted = `${name} must be an object with the methods ${logMethods.join(', ')}, as a logger of pino has them`;
  if (typeof log !== 'object' || log === null) throw new TypeError(`${wanted}, not ${kind}.`);
  const methods = log as Readonly<Partial<Record<string, unknown>>>;
  const missing = logMethods.find((each) => typeof methods[each] !== 'function');
  if (missing !== undefined) throw new TypeError(`${wanted}: there is no ${missing}.`);
}

/** As `typeof`, but for what is an object to it alone: `null`, `list`, `Map`. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  if (typeof value !== 'object') return typeof value;
  const tag = Object.prototype.toString.call(value).slice('[object '.length, -1);
  return tag === 'Object' || tag === 'Module' ? 'object' : tag;
}
