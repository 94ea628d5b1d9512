import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chartOf } from './chart.ts';
import type { Table } from './figures.ts';
import type { Growth } from './growth/growth.ts';
import { plotOf } from './growth/plot.ts';
import type { Machine } from './machine.ts';
import { growthMarkdown, markdownOf } from './markdown.ts';
import { readmeTable } from './readme-table.ts';

/** What `npm run bench` measured. */
export interface Report {
  readonly machine: Machine;
  /** Lines of what holds for all tables: it goes with the figures, for it changes with the harness. */
  readonly conditions: readonly string[];
  readonly tables: readonly Table[];
}

/** What `npm run bench -- --growth` measured. */
export interface GrowthReport {
  readonly machine: Machine;
  readonly growths: readonly Growth[];
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const [begin, end] = ['<!-- npm run bench -->\n', '<!-- /npm run bench -->\n'];

/** The figures that the documents show: as measured, in JSON. Everything else is made of these two files. */
const reportFile = 'docs/bench/bench.json';
const growthFile = 'docs/bench/growth.json';

/** Keeps what was measured as what is published, and writes every document that shows it. */
export function publish(measured: { readonly report?: Report; readonly growth?: GrowthReport }): void {
  if (measured.report !== undefined) write(reportFile, jsonOf(measured.report));
  if (measured.growth !== undefined) write(growthFile, jsonOf(measured.growth));
  for (const [file, text] of publishedFiles()) write(file, text);
}

/** The documents as they have to be, out of the figures that are published. */
export function publishedFiles(): ReadonlyMap<string, string> {
  const { machine, conditions, tables } = JSON.parse(read(reportFile)) as Report;
  const { machine: growthMachine, growths } = JSON.parse(read(growthFile)) as GrowthReport;
  const readme = read('README.md');
  const [from, to] = [readme.indexOf(begin) + begin.length, readme.indexOf(end)];
  if (from < begin.length || to < from) throw new Error(`README.md has no place for the table: ${begin}`);
  return new Map([
    [
      'README.md',
      `${readme.slice(0, from)}\n${readmeTable(machine, tables, { machine: growthMachine, growths })}\n${readme.slice(to)}`,
    ],
    [
      'docs/benchmarks.md',
      `${headingOf(conditions)}${markdownOf(machine, tables)}${growthMarkdown(growthMachine, growths, 'bench/')}`,
    ],
    ['docs/bench/bench.svg', chartOf(tables)],
    ...growths.map((growth) => [`docs/bench/growth-${growth.name}.svg`, plotOf(growth)] as const),
  ]);
}

const headingOf = (conditions: readonly string[]): string => `# What it costs, beside others

Written by \`npm run bench:publish\`, out of [bench.json](bench/bench.json) and [growth.json](bench/growth.json). Everybody does
the same work, in turns, on the same machine, and every output is checked. A ratio is the median of the ratios of runs side by
side, more than 1 where Shoal is better. It may differ from the ratio of the medians, which come from different rounds: what a
machine's other users do hits both sides of one round alike, but not two rounds. Behind each goal: from the least to the most
of the runs, and in how many of them alone it was met. Who is not installed is named, and a table of fewer runs says how many
they are. ${conditions.join('\n')}

![medians of all workloads](bench/bench.svg)

`;

const jsonOf = (measured: Report | GrowthReport): string => `${JSON.stringify(measured, undefined, 2)}\n`;

const read = (file: string): string => readFileSync(join(root, file), 'utf8');

function write(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

// After a change of how figures are shown.
if (import.meta.main) publish({});
