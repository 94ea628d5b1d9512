/** Totals of a world, for the report of a long run. */
export interface Tally {
  items: number;
  executions: number;
  /** Calls beyond the first one of an item. */
  extra: number;
  outcomes: number;
  failures: number;
  jobs: number;
  refused: number;
}

export function emptyTally(): Tally {
  return { items: 0, executions: 0, extra: 0, outcomes: 0, failures: 0, jobs: 0, refused: 0 };
}
