import type { Violation } from './violation.ts';

interface Line {
  readonly atMs: number;
  readonly who: string;
  readonly text: string;
  readonly fact: Readonly<Record<string, unknown>> | undefined;
}

/** What happened in a world, kept so that the story of one item can be told. */
export class Trace {
  readonly #lines: Line[] = [];

  event(atMs: number, who: string, type: string, event: object): void {
    this.#lines.push({ atMs, who, text: type, fact: event as Readonly<Record<string, unknown>> });
  }

  command(atMs: number, who: string, command: { readonly type: string }): void {
    this.#lines.push({
      atMs,
      who,
      text: `  -> ${command.type}`,
      fact: command as unknown as Readonly<Record<string, unknown>>,
    });
  }

  fault(atMs: number, what: string): void {
    this.#lines.push({ atMs, who: '', text: `*** ${what}`, fact: undefined });
  }

  /** The lines that concern what a violation is about, and every fault; the last ones if they are many. */
  story({ about }: Violation, linesMax: number = 120): string {
    const attempts = this.#attemptsOf(about);
    const sessions = this.#sessionsOf(about.agent);
    const told = this.#lines.filter(({ fact, who }) => {
      if (fact === undefined) return true;
      if (about.job === undefined && about.attempt === undefined) {
        return about.agent === undefined || who === about.agent || sessions.has(fact['session'] as number);
      }
      if (typeof fact['attempt'] === 'number') return attempts.has(fact['attempt']);
      const job = fact['job'];
      const isOfJob =
        (typeof job === 'string' && job.split('@')[0] === about.job) ||
        (who === about.job && about.job !== undefined);
      return isOfJob && touches(fact, about.index);
    });
    const shown = told.slice(-linesMax);
    const left = told.length - shown.length;
    return [...(left > 0 ? [`(${left} earlier lines left out)`] : []), ...shown.map(lineText)].join('\n');
  }

  /** The attempts that had the item. */
  #attemptsOf({ attempt, index, job }: Violation['about']): Set<unknown> {
    const attempts = new Set<unknown>(attempt === undefined ? [] : [attempt]);
    for (const { fact, text } of this.#lines) {
      if (fact === undefined || !text.endsWith('dispatch') || typeof fact['job'] !== 'string') continue;
      if (fact['job'].split('@')[0] === job && touches(fact, index)) attempts.add(fact['attempt']);
    }
    return attempts;
  }

  #sessionsOf(agent: string | undefined): Set<number> {
    const sessions = new Set<number>();
    for (const { fact } of this.#lines) {
      if (agent !== undefined && fact?.['agent'] === agent) sessions.add(fact['session'] as number);
    }
    return sessions;
  }
}

function touches(fact: Readonly<Record<string, unknown>>, index: number | undefined): boolean {
  const { first, count } = fact;
  if (index === undefined) return true;
  if (typeof fact['index'] === 'number') return fact['index'] === index;
  if (typeof first !== 'number' || typeof count !== 'number') return true;
  return index >= first && index < first + count;
}

function lineText({ atMs, fact, text, who }: Line): string {
  const time = `${(atMs / 1000).toFixed(3).padStart(9)} s`;
  if (fact === undefined) return `${time}  ${text}`;
  const { atMs: _, type: _type, spec: _spec, ...rest } = fact;
  return `${time}  ${who.padEnd(12)} ${text} ${detail(rest)}`;
}

function detail(fact: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(fact).map(([name, value]) =>
    typeof value === 'object' && value !== null
      ? `${name}=${JSON.stringify(value).slice(0, 160)}`
      : `${name}=${String(value)}`,
  );
  return parts.join(' ');
}
