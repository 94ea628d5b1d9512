/**
 * How far an item's CPU time is above what the parts cost, and who spends it (Linux):
 * `npm run build && node test/bench/above-limits.ts [--rounds 3] [--scale 0.4]`.
 *
 * hops.ts and limits.ts in turn, round after round: the load of a machine changes both by a half, and by the same if it comes
 * at the same time. Printed are medians; "times" is the median of the ratios of each round, from the least to the most.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { optionsOf, positive, whole } from './options.ts';
import { median } from './statistics.ts';
import { tableRows } from './table-rows.ts';

const { rounds, scale } = optionsOf({ rounds: whole(3), scale: positive(0.4) });

/** What hops.ts calls an item, what limits.ts calls its parts. */
const items = [
  ['cluster, x + 1, one item a chunk', 'x + 1, alone in its messages'],
  ['cluster, x + 1', 'x + 1, 64 KiB of them a message'],
  ['cluster, echo of 10 KiB', 'echo of 10 KiB, six a message'],
] as const;

function rowsOf(script: string, ...args: readonly string[]): Map<string, number[]> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const argv = [...process.execArgv, file, '--scale', `${scale}`, ...args];
  return tableRows(execFileSync(process.execPath, argv, { encoding: 'utf8' }));
}

/** Of an item in one round: microseconds of CPU. */
interface Round {
  readonly parts: number;
  readonly ends: number;
  readonly middle: number;
  readonly all: number;
}

const seen: Round[][] = items.map(() => []);
for (let round = 0; round < rounds; round += 1) {
  const hops = rowsOf('hops.ts', '--only', 'single,increment,echo');
  const limits = rowsOf('limits.ts');
  for (const [at, [hop, limit]] of items.entries()) {
    const [client = Number.NaN, coordinator = 0, agents = 0, children = 0, all = 0] = hops.get(hop) ?? [];
    const [parts = Number.NaN] = limits.get(limit) ?? [];
    seen[at]?.push({ parts, ends: client + children, middle: coordinator + agents, all });
  }
}

const text = (value: number): string => String(Number(value.toPrecision(3)));
const percent = (share: number): string => `${Math.round(100 * share)} %`;
console.log(
  '| CPU, µs an item | its parts | in all | times | from - to | client and children | coordinator and agents |',
);
console.log(`| :-- |${' --: |'.repeat(6)}`);
for (const [at, [title]] of items.entries()) {
  const all = seen[at] ?? [];
  const middle = (of: (round: Round) => number): number => median(all.map(of));
  const times = all.map((round) => round.all / round.parts);
  const cells = [
    text(middle(({ parts }) => parts)),
    text(middle((round) => round.all)),
    text(median(times)),
    `${text(Math.min(...times))} - ${text(Math.max(...times))}`,
    percent(middle((round) => round.ends / round.all)),
    percent(middle((round) => round.middle / round.all)),
  ];
  console.log(`| ${title} | ${cells.join(' | ')} |`);
}
