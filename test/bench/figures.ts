import type { Contest, Entry } from './contest.ts';
import { median } from './statistics.ts';
import { type FigureName, type Goal, nameOf, type Workload } from './workload.ts';

/** A kind of figure: its unit, whether more of it is better, and how it follows from what was measured. */
interface Figure {
  readonly unit: string;
  readonly moreIsBetter: boolean;
  /** `ideal` is what its ideal measured in the same round, for as many items. */
  readonly from: (value: number, items: number, ideal: number | undefined) => number;
}

export const figures: Readonly<Record<FigureName, Figure>> = {
  rate: { unit: 'items/s', moreIsBetter: true, from: (ms, items) => (items * 1_000) / ms },
  efficiency: { unit: '%', moreIsBetter: true, from: (ms, _, ideal = Number.NaN) => (100 * ideal) / ms },
  time: { unit: 'ms', moreIsBetter: false, from: (ms) => ms },
  memory: { unit: 'MiB', moreIsBetter: false, from: (bytes) => bytes / 2 ** 20 },
};

/** A line of a workload's table. */
export interface Row {
  readonly contender: string;
  readonly version: string | undefined;
  readonly missing: string | undefined;
  readonly failed: string | undefined;
  readonly items: number;
  /** By round. */
  readonly figures: readonly number[];
  readonly median: number;
  readonly low: number;
  readonly high: number;
  /** How many times better Shoal was than this one: the median over the rounds. Undefined for Shoal itself. */
  readonly ratio: number | undefined;
  /** Of the rounds, from the least to the most. */
  readonly ratioLow: number | undefined;
  readonly ratioHigh: number | undefined;
}

/** A goal and whether it was reached. */
export interface GoalResult {
  readonly text: string;
  /** By the median over the rounds; undefined where a figure is missing. */
  readonly isMet: boolean | undefined;
  /** What the goal is about, figure or ratio, from its least to its most. */
  readonly low: number;
  readonly high: number;
  /** In how many rounds it was measured, and in how many of them the goal was met by that round alone. */
  readonly runs: number;
  readonly runsMet: number;
}

/** A workload's table. */
export interface Table {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly moreIsBetter: boolean;
  /** Done before, unmeasured, by who has all the items; 0 where what is measured is a beginning. */
  readonly warmUpItems: number;
  readonly rows: readonly Row[];
  readonly goals: readonly GoalResult[];
}

/** What was measured, as figures. Nothing is left out and nothing judged but the goals that the workload names. */
export function tableOf({ workload, entries, warmUpItems }: Contest): Table {
  const { unit, moreIsBetter } = figures[workload.figure];
  const all = entries.map((_, at) => figuresOf(workload, entries, at));
  const [own = []] = all;
  const rows = entries.map((entry, at): Row => {
    const theirs = all[at] ?? [];
    const values = theirs.filter(Number.isFinite);
    return {
      contender: entry.contender,
      version: entry.version,
      missing: entry.missing,
      failed: entry.failed,
      items: entry.items,
      figures: theirs,
      median: median(values),
      low: Math.min(...values),
      high: Math.max(...values),
      ...(at === 0 ? noRatio : ratioOf(ratiosOf(own, theirs, moreIsBetter))),
    };
  });
  const goals = workload.goals.map((goal) => {
    if (!('against' in goal)) return goalResult(goal, own.filter(Number.isFinite), unit);
    const other = all[rows.findIndex(({ contender }) => contender === goal.against)] ?? [];
    return goalResult(goal, ratiosOf(own, other, moreIsBetter), unit);
  });
  const { name, title } = workload;
  return { name, title, unit, moreIsBetter, warmUpItems, rows, goals };
}

function figuresOf(workload: Workload, entries: readonly Entry[], at: number): number[] {
  const entry = entries[at];
  if (entry === undefined || entry.failed !== undefined) return [];
  const idealAt = workload.contenders.findIndex((other) => nameOf(other) === workload.contenders[at]?.ideal);
  const ideal = entries[idealAt];
  return entry.values.map((value, round) => {
    const idealValue = ideal?.values[round];
    const forAsMany = idealValue && (idealValue * entry.items) / (ideal?.items ?? 1);
    return figures[workload.figure].from(value, entry.items, forAsMany);
  });
}

const noRatio = { ratio: undefined, ratioLow: undefined, ratioHigh: undefined };

function ratioOf(ratios: readonly number[]): Pick<Row, 'ratio' | 'ratioLow' | 'ratioHigh'> {
  return { ratio: median(ratios), ratioLow: Math.min(...ratios), ratioHigh: Math.max(...ratios) };
}

/** How many times better in each round in which both were measured. */
function ratiosOf(own: readonly number[], theirs: readonly number[], moreIsBetter: boolean): number[] {
  const ratios = own.map((mine, round) => {
    const other = theirs[round] ?? Number.NaN;
    return moreIsBetter ? mine / other : other / mine;
  });
  return ratios.filter(Number.isFinite);
}

/** `reached` has what the goal is about, round by round. */
function goalResult(goal: Goal, reached: readonly number[], unit: string): GoalResult {
  const isEnough = (value: number): boolean =>
    'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost;
  const isMet = reached.length === 0 ? undefined : isEnough(median(reached));
  const [low, high] = [Math.min(...reached), Math.max(...reached)];
  const [runs, runsMet] = [reached.length, reached.filter(isEnough).length];
  return { text: textOf(goal, unit), isMet, low, high, runs, runsMet };
}

function textOf(goal: Goal, unit: string): string {
  if ('against' in goal) return `at least ${goal.atLeast} x ${goal.against}`;
  return 'atLeast' in goal
    ? `at least ${numberText(goal.atLeast)} ${unit}`
    : `at most ${numberText(goal.atMost)} ${unit}`;
}

/** In words: whether a goal was met. */
export const stateOf = (isMet: boolean | undefined): string =>
  isMet === undefined ? 'not measured' : isMet ? 'met' : 'NOT met';

/** In words: how far the runs are apart, and how many of them alone meet the goal. Nothing where there were none. */
export function spreadOf({ low, high, runs, runsMet }: GoalResult): string {
  return runs === 0 ? '' : ` (${numberText(low)} - ${numberText(high)}, in ${runsMet} of ${runs} runs)`;
}

/** A number for people: three digits that count, thousands apart. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (value >= 1_000) return Number(value.toPrecision(3)).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}
