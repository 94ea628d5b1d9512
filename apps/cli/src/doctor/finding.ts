import { aligned } from '../text-table.ts';

/** One thing that was looked at. `warning`: it works, and will not for long, or less well than it could. */
export interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'warning' | 'broken';
  /** What was seen; where it is not well, what to do. */
  readonly says: string;
}

const marks = { ok: 'ok     ', warning: 'WARNING', broken: 'BROKEN ' } as const;

/** A line each. */
export function findingsText(findings: readonly Finding[]): string {
  const rows = findings.map(({ says, state, what }) => [marks[state], what, says]);
  return aligned(rows)
    .map((line) => `${line}\n`)
    .join('');
}
