/** The words of one line of a transcript: names and numbers in their order, then `name=value` settings and flags. */

/** An agent in one of its sessions: `a/1`. */
export interface NamedSession {
  readonly agent: string;
  readonly session: number;
}

/** Consecutive items, as scheduler and agent both name them. */
export interface Items {
  readonly first: number;
  readonly count: number;
}

const unquoted = (text: string): string => text.replace(/^"(.*)"$/, '$1');

/** Reads a line word by word; whatever is not as it should be is an Error that says so. */
export class Words {
  readonly #words: string[] = [];
  readonly #settings = new Map<string, string>();

  constructor(line: string) {
    for (const [word] of line.matchAll(/[\w.]+="[^"]*"|"[^"]*"|\S+/g)) {
      const setting = /^([\w.]+)=(.*)$/.exec(word);
      if (setting === null) this.#words.push(unquoted(word));
      else this.#settings.set(setting[1] as string, unquoted(setting[2] as string));
    }
  }

  /** The next word. */
  take(what: string): string {
    const word = this.#words.shift();
    if (word === undefined) throw new Error(`${what} is missing`);
    return word;
  }

  /** The next word, `a/1`. */
  takeSession(): NamedSession {
    const [agent, session] = this.#parts('a session, such as a/1', /^([\w-]+)\/(\d+)$/);
    return { agent: agent as string, session: Number(session) };
  }

  /** The next word, `#1`. */
  takeAttempt(): number {
    const [attempt] = this.#parts('an attempt, such as #1', /^#(\d+)$/);
    return Number(attempt);
  }

  /** The next word, `#1[0..2]` or `#1[3]`. */
  takeAttemptItems(): Items & { readonly attempt: number } {
    const { whose, ...items } = this.#itemsOf('items of an attempt, such as #1[0..2]', /^#(\d+)(\[.+\])$/);
    return { attempt: Number(whose), ...items };
  }

  /** The next word, `squares[0..2]` or `squares[3]`. */
  takeJobItems(): Items & { readonly job: string } {
    const { whose, ...items } = this.#itemsOf('items of a job, such as squares[0..2]', /^([\w-]+)(\[.+\])$/);
    return { job: whose, ...items };
  }

  /** The next word, `link-1` where `link` is asked for. */
  takeNumbered(what: string): number {
    const [number] = this.#parts(`a ${what}, such as ${what}-1`, new RegExp(`^${what}-(\\d+)$`));
    return Number(number);
  }

  /** The next word, `chunk-1[0..2]` where `chunk` is asked for. */
  takeNumberedItems(what: string): Items & { readonly number: number } {
    const pattern = new RegExp(`^${what}-(\\d+)(\\[.+\\])$`);
    const { whose, ...items } = this.#itemsOf(`items of a ${what}, such as ${what}-1[0..2]`, pattern);
    return { number: Number(whose), ...items };
  }

  /** All attempts that come next: `#1 #2`; none where the line says `nothing`. */
  takeAttempts(): number[] {
    if (this.flag('nothing')) return [];
    const attempts: number[] = [];
    while (this.#words[0]?.startsWith('#')) attempts.push(this.takeAttempt());
    if (attempts.length === 0) throw new Error('attempts, such as #1 #2, or the word nothing are missing');
    return attempts;
  }

  /** Whether this word stands anywhere in what is left. */
  flag(name: string): boolean {
    const at = this.#words.indexOf(name);
    if (at >= 0) this.#words.splice(at, 1);
    return at >= 0;
  }

  /** A setting as text; undefined where the line does not have it. */
  text(name: string): string | undefined {
    const value = this.#settings.get(name);
    this.#settings.delete(name);
    return value;
  }

  /** A setting as a number; undefined where the line does not have it. */
  number(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (Number.isNaN(value)) throw new Error(`${name}=${text} is not a number`);
    return value;
  }

  /** A setting as items, `suspects=[3..5],[8]`; undefined where the line does not have it. */
  ranges(name: string): Items[] | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : rangesOf(text);
  }

  /** Those of these settings that the line has, as numbers. */
  numbers<Name extends string>(...names: readonly Name[]): { -readonly [Each in Name]?: number } {
    const found: { -readonly [Each in Name]?: number } = {};
    for (const name of names) {
      const value = this.number(name);
      if (value !== undefined) found[name] = value;
    }
    return found;
  }

  /** Settings whose names begin alike: `labels.gpu=1` under `labels`. */
  group(name: string): Record<string, string> {
    const found: Record<string, string> = {};
    for (const [key, value] of this.#settings) {
      if (!key.startsWith(`${name}.`)) continue;
      this.#settings.delete(key);
      found[key.slice(name.length + 1)] = value;
    }
    return found;
  }

  /** Nothing may be left: a word that nobody took is a mistake in the line. */
  end(): void {
    const [setting] = this.#settings.keys();
    const left = this.#words[0] ?? setting;
    if (left !== undefined) throw new Error(`nobody knows what to do with "${left}"`);
  }

  #itemsOf(what: string, pattern: RegExp): Items & { readonly whose: string } {
    const [whose = '', items = ''] = this.#parts(what, pattern);
    const [range, ...others] = rangesOf(items);
    if (range === undefined || others.length > 0) throw new Error(`${items} is not one range of items`);
    return { whose, ...range };
  }

  #parts(what: string, pattern: RegExp): string[] {
    const word = this.take(what);
    const match = pattern.exec(word);
    if (match === null) throw new Error(`${word} is not ${what}`);
    return match.slice(1);
  }
}

/** `[3..5],[8]`. */
function rangesOf(text: string): Items[] {
  return text.split(',').map((range) => {
    const match = /^\[(\d+)(?:\.\.(\d+))?\]$/.exec(range);
    if (match === null) throw new Error(`${range} is not a range of items, such as [3] or [3..5]`);
    const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (last < first) throw new Error(`${range} ends before it begins`);
    return { first, count: last - first + 1 };
  });
}

/** What is said of a dispatch only where it is not as usual. */
export const unusualNames: readonly string[] = ['tryNumber', 'marksStarts', 'groupSlots'];

export function unusualText({ groupSlots = 0, marksStarts, tryNumber }: Unusual): string {
  const slots = groupSlots > 0 ? ` groupSlots=${groupSlots}` : '';
  return `${tryNumber > 1 ? ` try=${tryNumber}` : ''}${marksStarts ? ' marksStarts' : ''}${slots}`;
}

interface Unusual {
  readonly tryNumber: number;
  readonly marksStarts: boolean;
  readonly groupSlots?: number | undefined;
}

/** `[3..5]`, or `[3]` for one item: what {@link Words} reads. */
export function itemsText({ first, count }: Items): string {
  return count === 1 ? `[${first}]` : `[${first}..${first + count - 1}]`;
}

/**
 * `name=value` for every field that is not among the known ones: a new field is seen at once, wherever it turns up.
 * Fields of fields are `name.field=value`.
 */
export function othersText(value: object, ...known: readonly string[]): string {
  return Object.entries(value)
    .filter(([name, each]) => each !== undefined && !known.includes(name))
    .map(([name, each]) => fieldText(name, each))
    .join('');
}

function fieldText(name: string, value: unknown): string {
  if (typeof value !== 'object' || value === null) return ` ${name}=${String(value)}`;
  if (Array.isArray(value)) return ` ${name}=${JSON.stringify(value)}`;
  return Object.entries(value)
    .map(([field, each]) => fieldText(`${name}.${field}`, each))
    .join('');
}

/** `250ms`, `2s`, `1.5s`, in milliseconds. */
export function timeOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(text);
  if (match === null) throw new Error(`${text} is not a time, such as 250ms or 2s`);
  // 2.01 s are 2,010 ms, whatever a computer makes of 2.01 x 1,000.
  return Math.round(Number(match[1]) * (match[2] === 's' ? 1_000 : 1));
}

/** A time as {@link timeOf} reads it. */
export function timeText(ms: number): string {
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`;
}
