import { fileURLToPath } from 'node:url';
import { measure } from '../measurement.ts';
import { median } from '../statistics.ts';
import type { Axis, Place } from './axis.ts';

/** One line of a plot. */
export interface Series {
  readonly place: Place;
  readonly points: readonly { readonly at: number; readonly microseconds: number }[];
  /** Why it ends early. */
  readonly failed?: string;
}

/** A plot: how the cost of an item grows with one thing. */
export interface Growth {
  readonly name: string;
  readonly title: string;
  readonly label: string;
  readonly series: readonly Series[];
}

/** How growth is measured. */
export interface GrowthRules {
  readonly small: boolean;
  /** Where their number is not what grows. */
  readonly processes: number;
  readonly runs: number;
  /** No round begins that would end later than so long after the start, if it takes as long as the longest so far. */
  readonly untilMs: number;
  /** Of one point. */
  readonly timeoutMs: number;
  readonly onMeasured: (axis: Axis, place: Place, at: number, round: number) => void;
}

/** It counts as flat if no point costs more than so many times what the cheapest before it does. */
export const flatWithin = 1.25;

/** The same in words. */
export const flatRule = `Flat or falling: no point costs more than ${flatWithin} times what a cheaper one before it does.`;

const script = fileURLToPath(new URL('measure-point.ts', import.meta.url));

/** What came of one place of an axis. */
class Line {
  readonly axis: Axis;
  readonly place: Place;
  readonly #costs = new Map<number, number[]>();
  #failed: string | undefined;

  constructor(axis: Axis, place: Place) {
    this.axis = axis;
    this.place = place;
  }

  /** Measures a point, unless an earlier one has failed: the next one is larger. */
  async measure(at: number, { small, processes, timeoutMs }: GrowthRules): Promise<void> {
    if (this.#failed !== undefined) return;
    const point = JSON.stringify(this.axis.point(at, { place: this.place, processes, small }));
    try {
      const { value } = await measure([process.execPath, ...process.execArgv, script, point], timeoutMs);
      this.#costs.set(at, [...(this.#costs.get(at) ?? []), value]);
    } catch (error) {
      this.#failed = `${at} ${this.axis.label}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  get series(): Series {
    const points = [...this.#costs].map(([at, values]) => ({ at, microseconds: median(values) }));
    return { place: this.place, points, ...(this.#failed === undefined ? {} : { failed: this.#failed }) };
  }
}

/** Measures every point, round after round, and keeps the medians. The first round is held in any case. */
export async function growthsOf(
  axes: readonly Axis[],
  rules: GrowthRules,
): Promise<{ readonly growths: readonly Growth[]; readonly rounds: number }> {
  const lines = axes.flatMap((axis) => axis.places.map((place) => new Line(axis, place)));
  const startedAt = performance.now();
  let [rounds, longestMs] = [0, 0];
  for (; rounds < rules.runs; rounds += 1) {
    const roundAt = performance.now();
    if (rounds > 0 && roundAt + longestMs - startedAt > rules.untilMs) break;
    for (const axis of axes) {
      for (const at of rules.small ? axis.atSmall : axis.at) {
        for (const line of lines.filter((each) => each.axis === axis)) {
          await line.measure(at, rules);
          rules.onMeasured(axis, line.place, at, rounds);
        }
      }
    }
    longestMs = Math.max(longestMs, performance.now() - roundAt);
  }
  const growths = axes.map((axis) => {
    const { name, title, label } = axis;
    return {
      name,
      title,
      label,
      series: lines.filter((each) => each.axis === axis).map(({ series }) => series),
    };
  });
  return { growths, rounds };
}

/** Whether nothing on the way costs more than what came before it; undefined where there are no two points. */
export function isFlat({ points, failed }: Series): boolean | undefined {
  if (points.length < 2 || failed !== undefined) return undefined;
  let cheapest = Number.POSITIVE_INFINITY;
  for (const { microseconds } of points) {
    if (microseconds > cheapest * flatWithin) return false;
    cheapest = Math.min(cheapest, microseconds);
  }
  return true;
}
