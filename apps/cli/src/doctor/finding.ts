import { aligned } from '../text-table.ts';

/**
 * One thing that was looked at. `absent`: it is not to be had here, and nobody has asked for it. `warning`: it works, and will not
 * for long, or less well than it could.
 */
export interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'absent' | 'warning' | 'broken';
  /** What was seen; where it is not well, what to do. */
  readonly says: string;
}

const marks = { ok: 'ok     ', absent: 'absent ', warning: 'WARNING', broken: 'BROKEN ' } as const;

/** A line each. */
export function findingsText(findings: readonly Finding[]): string {
  const rows = findings.map(({ says, state, what }) => [marks[state], what, says]);
  return aligned(rows)
    .map((line) => `${line}\n`)
    .join('');
}
