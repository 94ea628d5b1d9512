/** One quantity over time. */
export interface Series {
  readonly name: string;
  readonly unit: string;
  readonly points: readonly { readonly atMs: number; readonly value: number }[];
}

/** How much more than before is still as much as before. */
export interface Tolerance {
  /** Of what it was. */
  readonly part: number;
  /** On top of that. */
  readonly plus: number;
}

/** Whether a quantity stayed what it was. */
export interface Flatness {
  readonly name: string;
  readonly unit: string;
  /** Medians, and the highest of all. */
  readonly early: number;
  readonly late: number;
  readonly most: number;
  readonly lateMax: number;
  readonly isFlat: boolean;
}

/** So much of the time is left out at the start: V8 compiles, and its heap finds its size. */
const warmUp = 0.2;

/**
 * Compares the median of the last third with that of the first third, after the warm-up. What grows without end with items,
 * faults or time is more in the end; what only swings is not. A series without points in either third is not flat: nobody
 * knows.
 */
export function flatnessOf({ name, points, unit }: Series, { part, plus }: Tolerance): Flatness {
  const [startMs, endMs] = [points[0]?.atMs ?? 0, points.at(-1)?.atMs ?? 0];
  const fromMs = startMs + (endMs - startMs) * warmUp;
  const thirdMs = (endMs - fromMs) / 3;
  const valuesIn = (lowMs: number, highMs: number): number[] =>
    points.filter(({ atMs }) => atMs >= lowMs && atMs <= highMs).map(({ value }) => value);
  const early = median(valuesIn(fromMs, fromMs + thirdMs));
  const late = median(valuesIn(endMs - thirdMs, endMs));
  const lateMax = early * (1 + part) + plus;
  const most = Math.max(...points.map(({ value }) => value));
  return { name, unit, early, late, most, lateMax, isFlat: late <= lateMax };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
