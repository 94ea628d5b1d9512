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
}

/** A goal and whether it was reached; undefined where a figure is missing. */
export interface GoalResult {
  readonly text: string;
  readonly isMet: boolean | undefined;
}

/** A workload's table. */
export interface Table {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly moreIsBetter: boolean;
  readonly rows: readonly Row[];
  readonly goals: readonly GoalResult[];
}

/** What was measured, as figures. Nothing is left out and nothing judged but the goals that the workload names. */
export function tableOf({ workload, entries }: Contest): Table {
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
      ratio: at === 0 ? undefined : ratio(own, theirs, moreIsBetter),
    };
  });
  const goals = workload.goals.map((goal) => goalResult(goal, rows, unit));
  return { name: workload.name, title: workload.title, unit, moreIsBetter, rows, goals };
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

function ratio(own: readonly number[], theirs: readonly number[], moreIsBetter: boolean): number {
  const ratios = own.map((mine, round) => {
    const other = theirs[round] ?? Number.NaN;
    return moreIsBetter ? mine / other : other / mine;
  });
  return median(ratios.filter(Number.isFinite));
}

function goalResult(goal: Goal, rows: readonly Row[], unit: string): GoalResult {
  const [own] = rows;
  if ('against' in goal) {
    const reached = rows.find(({ contender }) => contender === goal.against)?.ratio ?? Number.NaN;
    const text = `at least ${goal.atLeast} x ${goal.against}`;
    return { text, isMet: Number.isNaN(reached) ? undefined : reached >= goal.atLeast };
  }
  const reached = own?.median ?? Number.NaN;
  const isMet = 'atLeast' in goal ? reached >= goal.atLeast : reached <= goal.atMost;
  const bound =
    'atLeast' in goal ? `at least ${numberText(goal.atLeast)}` : `at most ${numberText(goal.atMost)}`;
  return { text: `${bound} ${unit}`, isMet: Number.isNaN(reached) ? undefined : isMet };
}

/** In words: whether a goal was met. */
export const stateOf = (isMet: boolean | undefined): string =>
  isMet === undefined ? 'not measured' : isMet ? 'met' : 'NOT met';

/** A number for people: three digits that count, thousands apart. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (value >= 1_000) return Number(value.toPrecision(3)).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}
