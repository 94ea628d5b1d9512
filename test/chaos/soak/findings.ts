import { type Flatness, flatnessOf, type Series, type Tolerance } from './flatness.ts';
import { type Sample, watched } from './sampler.ts';
import type { Fault } from './schedule.ts';

/** A fault, as it came. */
export interface Struck extends Fault {
  /** Since the start, in milliseconds. */
  readonly struckMs: number;
  readonly endedMs: number;
  /** Why it struck nobody. Then it does not count. */
  readonly missed?: string;
}

/** What is known at the end of a soak. */
export interface Soaked {
  readonly seed: number;
  readonly minutes: number;
  readonly items: number;
  /** As the client counted. */
  readonly client: {
    readonly done: number;
    readonly wrong: number;
    readonly failed: number;
    /** How long the calls took that came to an outcome, all together. */
    readonly workMs: number;
  };
  /** What the client said of each outcome that was wrong or failed. */
  readonly clientSaid: readonly string[];
  /** How long the job took, in milliseconds. */
  readonly tookMs: number;
  readonly faults: readonly Struck[];
  /** How often each item was started, as the tasks themselves wrote it down. */
  readonly starts: readonly number[];
  readonly samples: readonly Sample[];
  /** What went wrong that no fault accounts for. */
  readonly complaints: readonly string[];
  /** What was left at the end. */
  readonly leak: string | undefined;
  /** How often the coordinator said what. */
  readonly events: Readonly<Record<string, number>>;
  readonly hasNetwork: boolean;
}

/** A promise, and whether it was kept. */
export interface Finding {
  readonly promise: string;
  readonly seen: string;
  readonly isKept: boolean;
}

/** 300 in half an hour. */
const faultsAMinuteMin = 10;
/** One, and as many as the default retries allow: 2 for its process's death, 10 for lost agents. */
const startsMax = 13;
/** In its first minutes V8 lets its young generation grow, by 48 MiB at most: in a short run that is most of what is seen. */
const memoryIn = (minutes: number): Tolerance => ({ part: 0.1, plus: 10 + 60 / Math.max(1, minutes) });
/** In a short run an agent may have been without its children for a third of the time, which is three descriptors each. */
const countedIn = (minutes: number): Tolerance => ({ part: 0, plus: 2 + 16 / Math.max(1, minutes) });

/** Whether everything was as it should be. */
export function findingsOf(soaked: Soaked): Finding[] {
  const { client, clientSaid, complaints, faults, items, leak, minutes, starts } = soaked;
  const struck = faults.filter(({ missed }) => missed === undefined).length;
  const faultsMin = Math.ceil(minutes * faultsAMinuteMin);
  const mostStarts = starts.reduce((max, count) => Math.max(max, count), 0);
  const never = starts.filter((count) => count === 0).length;
  return [
    {
      promise: `each of ${number(items)} items has one outcome, in the order of the items`,
      seen: `${number(client.done)} outcomes`,
      isKept: client.done === items,
    },
    {
      promise: 'each outcome is what the function makes of its item',
      seen: `${client.wrong} wrong, ${client.failed} failed${said(clientSaid)}`,
      isKept: client.wrong + client.failed === 0,
    },
    {
      promise: `at least ${faultsMin} faults struck while the job ran`,
      seen: String(struck),
      isKept: struck >= faultsMin,
    },
    {
      promise: `each item was started, and ${startsMax} times at most`,
      seen: `${never} never, ${mostStarts} times at most`,
      isKept: never === 0 && mostStarts <= startsMax,
    },
    ...flatnessesOf(soaked).map(({ early, isFlat, late, lateMax, most, name, unit }) => ({
      promise: `${name} stays flat (up to ${round(lateMax)}${unit})`,
      seen: `${round(early)}${unit} early, ${round(late)}${unit} late, ${round(most)}${unit} at most`,
      isKept: isFlat,
    })),
    {
      promise: 'who is told to end ends with 0, and who was killed comes back',
      seen: complaints.length === 0 ? 'so it was' : complaints.join('; '),
      isKept: complaints.length === 0,
    },
    {
      promise: 'in the end no job, busy slot, held byte, process, connection or file is left',
      seen: leak ?? 'nothing',
      isKept: leak === undefined,
    },
  ];
}

/** Every quantity that has to stay what it was. */
function flatnessesOf({ minutes, samples }: Soaked): Flatness[] {
  const [memory, counted] = [memoryIn(minutes), countedIn(minutes)];
  const needs = watched.flatMap((name) => [
    flatnessOf(
      series(samples, `memory, ${name}`, ' MiB', ({ needs }) => needs[name]?.rssMiB),
      memory,
    ),
    flatnessOf(
      series(samples, `descriptors, ${name}`, '', ({ needs }) => needs[name]?.descriptors),
      counted,
    ),
  ]);
  return [
    ...needs.filter(({ unit }) => unit !== ''),
    flatnessOf(
      series(samples, 'memory, a child', ' MiB', ({ childRssMiB }) => childRssMiB),
      memory,
    ),
    ...needs.filter(({ unit }) => unit === ''),
    flatnessOf(
      series(samples, 'connections, coordinator', '', ({ connections }) => connections),
      counted,
    ),
    flatnessOf(
      series(samples, 'children', '', ({ children }) => children),
      counted,
    ),
    flatnessOf(
      series(samples, 'folders', '', ({ folders }) => folders),
      counted,
    ),
  ];
}

/** One quantity of the samples; those in which it is missing are left out. */
export function series(
  samples: readonly Sample[],
  name: string,
  unit: string,
  value: (sample: Sample) => number | undefined,
): Series {
  const points = samples.flatMap((sample) => {
    const seen = value(sample);
    return seen === undefined ? [] : [{ atMs: sample.atMs, value: seen }];
  });
  return { name, unit, points };
}

/** A number for people. */
export const number = (value: number): string => value.toLocaleString('en');
const round = (value: number): string => number(Math.round(value));

function said(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `: ${lines.slice(0, 5).join('; ')}`;
}
