import { catalogue } from './catalogue.ts';
import type { ErrorCode } from './error-code.ts';
import { shownText } from './shown-text.ts';

/** A fact of an error: what the placeholders of its message are filled with. */
export type Fact = string | number | boolean;

/** The facts of one error by name. */
export type Facts = Readonly<Record<string, Fact | undefined>>;

/** `{items}` is the fact; `{items:waits|wait}` the word that goes with it, where it is 1 and where it is not. */
const fill = (template: string, facts: Facts): string =>
  template.replace(/\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g, (_, name: string, one?: string, many?: string) => {
    const fact = String(facts[name] ?? '');
    if (one !== undefined && many !== undefined) return fact === '1' ? one : many;
    return shownText(fact);
  });

/** The full text of an error: its message and what to do about it. */
export function describe(code: ErrorCode, facts: Facts): string {
  const { message, remedy } = catalogue[code];
  // A message may end in a fact that brings its own full stop.
  const text = fill(message, facts).replace(/\.\.$/, '.');
  const advice = fill(remedy, facts).trim();
  return advice === '' ? text : `${text} ${advice}`;
}
