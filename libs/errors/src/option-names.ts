import { quotedText } from './shown-text.ts';
import { nearestName } from './suggestion.ts';

/**
 * Refuses an object with an option that nobody knows: misspelled, it would be ignored in silence.
 *
 * Throws a TypeError that names it, and the option that was meant. `where` says whose options they are: `Pool options`.
 */
export function checkOptionNames(where: string, given: object, known: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const nearest = nearestName(name, known);
    const advice = nearest === undefined ? `There are: ${known.join(', ')}.` : `Did you mean ${nearest}?`;
    throw new TypeError(`${where}: there is no option ${quotedText(name)}. ${advice}`);
  }
}

/** What an option is, as `typeof` says it. */
export type OptionKind = 'boolean' | 'number' | 'object' | 'string';

/** The same by a table, where every option that is given has to be of its kind too. Throws a TypeError that names it. */
export function checkOptionKinds(
  where: string,
  given: unknown,
  kinds: Readonly<Record<string, OptionKind>>,
): void {
  if (kindOf(given) !== 'object') throw new TypeError(`${where} must be an object, not ${kindOf(given)}.`);
  checkOptionNames(where, given as object, Object.keys(kinds));
  for (const [name, value] of Object.entries(given as object)) {
    const kind = kinds[name];
    if (value !== undefined && kindOf(value) !== kind) {
      const article = kind === 'object' ? 'an' : 'a';
      throw new TypeError(`${name} must be ${article} ${kind}, not ${kindOf(value)}.`);
    }
  }
}

const kindOf = (value: unknown): string => (value === null ? 'null' : typeof value);
