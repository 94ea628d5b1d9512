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
  readonly runs: number;
  readonly timeoutMs: number;
  readonly onMeasured: (axis: string, place: Place, at: number, round: number) => void;
}

/** It counts as flat if the last point costs at most so many times what the first does. */
export const flatWithin = 1.25;

const script = fileURLToPath(new URL('measure-point.ts', import.meta.url));

/** Measures every point, round after round, and keeps the medians. */
export async function growthOf(axis: Axis, rules: GrowthRules): Promise<Growth> {
  const { small, runs } = rules;
  const places = axis.places.map((place) => ({ place, costs: new Map<number, number[]>(), failed: '' }));
  for (let round = 0; round < runs; round += 1) {
    for (const at of small ? axis.atSmall : axis.at) {
      for (const each of places) {
        if (each.failed !== '') continue;
        const point = JSON.stringify(axis.point(at, each.place, small));
        try {
          const { value } = await measure(
            [process.execPath, ...process.execArgv, script, point],
            rules.timeoutMs,
          );
          each.costs.set(at, [...(each.costs.get(at) ?? []), value]);
        } catch (error) {
          each.failed = `${at} ${axis.label}: ${error instanceof Error ? error.message : String(error)}`;
        }
        rules.onMeasured(axis.name, each.place, at, round);
      }
    }
  }
  const { name, title, label } = axis;
  const series = places.map(({ place, costs, failed }) => ({
    place,
    points: [...costs].map(([at, values]) => ({ at, microseconds: median(values) })),
    ...(failed === '' ? {} : { failed }),
  }));
  return { name, title, label, series };
}

/** Whether it costs no more at the end than at the beginning; undefined where there are no two points. */
export function isFlat({ points, failed }: Series): boolean | undefined {
  const [first, last] = [points.at(0), points.at(-1)];
  if (first === undefined || last === undefined || first === last || failed !== undefined) return undefined;
  return last.microseconds <= first.microseconds * flatWithin;
}
