/** What a shard costs a scheduler of so many agents and jobs; what was not measured is left out. */
export interface Row {
  readonly agents: number;
  readonly jobs: number;
  /** Blocks of code entered, and the processor's instructions. */
  readonly steps?: number;
  readonly instructions?: number;
  /** Microseconds of CPU; and those of as many agents and jobs in many small schedulers. */
  readonly time?: number;
  readonly control?: number;
}

/** Whether cost is flat, and in words what was found and what is allowed. */
export interface Verdict {
  readonly isFlat: boolean;
  readonly text: string;
}

/** What is done for a shard may be a tenth more than in the smallest cluster. */
const growthMax = 0.1;

/**
 * Whether what is done for a shard grows with agents or with jobs. The first row is the smallest cluster; rows with many
 * of both are not judged. Nor is time: it grows with the memory in use even where nothing more is done.
 */
export function judge(all: readonly Row[]): Verdict {
  const rows = all.filter(({ agents, jobs }) => jobs === 1 || agents <= 100);
  const findings = [
    growth('steps', rows, ({ steps }) => steps),
    growth('instructions', rows, ({ instructions }) => instructions),
  ].filter((each) => each !== undefined);
  const isFlat = findings.length > 0 && findings.every(({ holds }) => holds);
  return { isFlat, text: `${isFlat ? 'Flat' : 'NOT FLAT'}: ${findings.map(({ text }) => text).join('; ')}.` };
}

interface Finding {
  readonly holds: boolean;
  readonly text: string;
}

function growth(
  what: string,
  rows: readonly Row[],
  of: (row: Row) => number | undefined,
): Finding | undefined {
  const [first] = rows;
  const smallest = first && of(first);
  if (smallest === undefined) return undefined;
  const { value, row } = highest(rows, (each) => {
    const cost = of(each);
    return cost === undefined ? undefined : cost / smallest - 1;
  });
  const percent = Math.round(value * 100);
  const text = `${what} at most ${percent} % above the first row, at ${sizeOf(row)} (allowed: ${growthMax * 100} %)`;
  const holds = (of(row) as number) <= smallest * (1 + growthMax);
  return { holds, text };
}

function highest(
  rows: readonly Row[],
  of: (row: Row) => number | undefined,
): { readonly value: number; readonly row: Row } {
  return rows
    .map((row) => ({ row, value: of(row) ?? Number.NEGATIVE_INFINITY }))
    .reduce((a, b) => (b.value > a.value ? b : a));
}

const sizeOf = ({ agents, jobs }: Row): string =>
  `${agents.toLocaleString('en-US')} agents and ${jobs.toLocaleString('en-US')} ${jobs === 1 ? 'job' : 'jobs'}`;
