import { usageError } from '../usage-error.ts';

/** Whole numbers from `first` to `last`, both included. */
export interface NumberRange {
  readonly first: number;
  readonly last: number;
}

/** Reads `1..100`; undefined where the text is no range at all (then it names a file). */
export function parseRange(text: string): NumberRange | undefined {
  const match = /^(-?\d+)\.\.(-?\d+)$/.exec(text);
  if (match === null) return undefined;
  const range = { first: Number(match[1]), last: Number(match[2]) };
  if (!Number.isSafeInteger(range.first) || !Number.isSafeInteger(range.last)) {
    throw usageError(`--input ${text}: the numbers are too large to be exact`);
  }
  if (range.last < range.first) {
    throw usageError(`--input ${text}: a range counts upwards`, `Try ${range.last}..${range.first}.`);
  }
  return range;
}

/** Whether somebody who typed this wanted a range: `1..x`, `0.5..3`, `1...5`. There may be a file of that name all the same. */
export const isMeantAsRange = (text: string): boolean => /^[-+.]?\d[\w.+-]*\.\.[\w.+-]*$/.test(text);

/** How many numbers a range has. */
export function rangeLength({ first, last }: NumberRange): number {
  return last - first + 1;
}

/** The numbers of a range, made as they are asked for. */
export function* rangeItems({ first, last }: NumberRange): Generator<number, void, undefined> {
  for (let number = first; number <= last; number++) yield number;
}
