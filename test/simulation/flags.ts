import { parseArgs } from 'node:util';

/** What the simulation is to play. */
export interface Flags {
  readonly agents?: number;
  readonly bug?: string;
  readonly bugs: boolean;
  readonly faults?: number;
  readonly lines: number;
  readonly quiet: boolean;
  readonly seed?: number;
  readonly seeds?: number;
  readonly storm: boolean;
}

/** More agents than anybody has, and what a laptop's memory holds. */
const agentsMax = 10_000;
const most = Number.MAX_SAFE_INTEGER;

/** What a kind of run has no use for: whoever gives it waits for something that does not come. */
const useless = {
  bugs: ['agents', 'bug', 'faults', 'seed', 'seeds', 'storm'],
  bug: ['faults', 'seeds'],
  // Whichever came first would end the run, and nobody could tell which it was.
  faults: ['seeds'],
} as const;

/** Reads the words behind `npm run sim --`. Throws an Error with a sentence for whoever typed them. */
export function readFlags(words: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...words],
    options: {
      agents: { type: 'string' },
      bug: { type: 'string' },
      bugs: { type: 'boolean', default: false },
      faults: { type: 'string' },
      lines: { type: 'string', default: '120' },
      quiet: { type: 'boolean', default: false },
      seed: { type: 'string' },
      seeds: { type: 'string' },
      storm: { type: 'boolean', default: false },
    },
  });
  const { agents, bug, bugs, faults, lines, quiet, seed, seeds, storm } = values;
  for (const kind of ['bugs', 'bug', 'faults'] as const) {
    if (values[kind] === undefined || values[kind] === false) continue;
    const given = useless[kind].find((name) => values[name] !== undefined && values[name] !== false);
    if (given !== undefined)
      throw new Error(`--${given} has no effect with --${kind}. Leave one of them out.`);
  }
  return {
    bugs,
    lines: whole('lines', lines),
    quiet,
    storm,
    ...(agents === undefined ? {} : { agents: whole('agents', agents, agentsMax) }),
    ...(bug === undefined ? {} : { bug }),
    ...(faults === undefined ? {} : { faults: whole('faults', faults) }),
    ...(seed === undefined ? {} : { seed: whole('seed', seed) }),
    ...(seeds === undefined ? {} : { seeds: whole('seeds', seeds) }),
  };
}

function whole(name: string, text: string, max: number = most): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return value;
  const range = max === most ? 'from 1 on' : `from 1 to ${max}`;
  throw new Error(`--${name} must be a whole number ${range}, not ${JSON.stringify(text)}.`);
}
