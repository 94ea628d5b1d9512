import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FaultCounts } from './faults.ts';
import type { Played } from './player.ts';

/** What came of many worlds. */
export class Report {
  worlds = 0;
  events = 0;
  steps = 0;
  items = 0;
  jobs = 0;
  executions = 0;
  outcomes = 0;
  failures = 0;
  refused = 0;
  /** Calls of the function beyond the first one of an item. */
  extra = 0;
  readonly broken: Played[] = [];
  readonly #faults: Record<string, number> = {};

  add(played: Played): void {
    const { events, faults, steps, tally, violation } = played;
    this.worlds += 1;
    this.events += events;
    this.steps += steps;
    this.items += tally.items;
    this.jobs += tally.jobs;
    this.executions += tally.executions;
    this.outcomes += tally.outcomes;
    this.failures += tally.failures;
    this.refused += tally.refused;
    this.extra += tally.extra;
    for (const [kind, count] of Object.entries(faults))
      this.#faults[kind] = (this.#faults[kind] ?? 0) + count;
    if (violation !== undefined) this.broken.push(played);
  }

  get faultsByKind(): FaultCounts {
    return this.#faults;
  }

  get faults(): number {
    return Object.values(this.#faults).reduce((sum, count) => sum + count, 0);
  }

  /** The sum of it, for people. */
  text(cpuSeconds: number): string {
    const rows: [string, number][] = [
      ['worlds', this.worlds],
      ['faults', this.faults],
      ...Object.entries(this.#faults)
        .sort(([, a], [, b]) => b - a)
        .map(([kind, count]): [string, number] => [`  ${kind}`, count]),
      ['jobs', this.jobs],
      ['items', this.items],
      ['calls of the function', this.executions],
      ['  of them extra', this.extra],
      ['outcomes delivered', this.outcomes],
      ['  of them failures', this.failures],
      ['late results refused', this.refused],
      ['events', this.events],
      ...brokenPromises.map(([name, guarantees]): [string, number] => [
        name,
        this.broken.filter(({ violation }) => guarantees.includes(violation?.guarantee ?? '')).length,
      ]),
    ];
    const lines = rows.map(
      ([name, count]) => `${name.padEnd(32)}${count.toLocaleString('en-US').padStart(14)}`,
    );
    return [...lines, `${'CPU'.padEnd(32)}${`${cpuSeconds.toFixed(0)} s`.padStart(14)}`].join('\n');
  }
}

/** What users fear, and the guarantees that stand against it. */
const brokenPromises: readonly (readonly [string, readonly string[]])[] = [
  ['lost', ['G1']],
  ['doubled', ['G2', 'G3', 'G12', 'G13', 'G21']],
  ['changed', ['G4']],
  ['blamed wrongly', ['G5', 'G6', 'G7', 'G8', 'G9', 'G10', 'G11']],
  ['stuck', ['priority', 'G15', 'G16', 'G17', 'G18', 'G19', 'G20', 'G25', 'G26', 'G27']],
  ['leaked', ['G28', 'G29', 'G30']],
  ['broken otherwise', ['structure']],
];

/** The commit that is played. */
export function commit(): string {
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  try {
    const git = (...words: string[]): string => execFileSync('git', words, { cwd, encoding: 'utf8' }).trim();
    const changed =
      git('status', '--porcelain', '--', '../../libs', '../../apps', '.') === '' ? '' : ' with changes';
    return git('rev-parse', '--short=12', 'HEAD') + changed;
  } catch {
    return 'unknown';
  }
}
