import { type GoalResult, numberText, type Row, spreadOf, stateOf, type Table } from './figures.ts';
import { flatRule, type Growth, isFlat, type Series } from './growth/growth.ts';
import type { Machine } from './machine.ts';

/** The whole run as Markdown: a table for each workload, everybody in it, missing ones by name. */
export function markdownOf(machine: Machine, tables: readonly Table[]): string {
  const lines = [...machineLines(machine), ...tables.flatMap((table) => tableLines(table, machine))];
  return `${lines.join('\n')}\n`;
}

/** Where and how it was measured. */
export function machineLines(machine: Machine): string[] {
  const { cpu, cpus, node, processes, runs, loadBefore, loadAfter, commit, small } = machine;
  return [
    `${cpu}, ${cpus} CPUs, ${processes} processes, Node ${node}, commit ${commit},`,
    `${runs} ${runs === 1 ? 'run' : 'runs'} of each, interleaved; load ${loadBefore} before, ${loadAfter} after.`,
    ...(small ? ['A small run: it shows that everything works, its figures mean nothing.'] : []),
  ];
}

/** How cost grows, as Markdown with a plot for each; `folder` is where these are, seen from the text, as `bench/`. */
export function growthMarkdown(machine: Machine, growths: readonly Growth[], folder: string): string {
  const lines = [
    '',
    '## How cost grows',
    '',
    'What `npm run bench -- --growth` measures: CPU time of all processes together, caller, coordinator, agents and',
    `children, for one item. ${flatRule} What a job costs once is in it, so small jobs cost more an item.`,
    '',
    ...machineLines(machine),
    ...growths.flatMap((growth) => growthLinesOf(growth, folder)),
  ];
  return `${lines.join('\n')}\n`;
}

function growthLinesOf({ name, title, label, series }: Growth, folder: string): string[] {
  const columns = [...new Set(series.flatMap(({ points }) => points.map(({ at }) => at)))];
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const costAt = ({ points }: Series, column: number): string => {
    const found = points.find(({ at }) => at === column);
    return found === undefined ? '' : numberText(found.microseconds);
  };
  return [
    '',
    `### ${title}`,
    '',
    `![${title}](${folder}growth-${name}.svg)`,
    '',
    row([`µs an item, by ${label}`, ...columns.map((at) => at.toLocaleString('en-US')), 'flat or falling']),
    row(['---', ...columns.map(() => '---:'), '---']),
    ...series.map((each) =>
      row([
        each.place,
        ...columns.map((at) => costAt(each, at)),
        each.failed === undefined ? stateOf(isFlat(each)) : `FAILED: ${telling(each.failed)}`,
      ]),
    ),
  ];
}

/** What it is, and in how many runs where that were not all. */
export function titleOf({ title, rows }: Table, { runs }: Machine): string {
  const held = Math.max(0, ...rows.map(({ figures }) => figures.length));
  return held === runs || held === 0 ? title : `${title} (${held} of ${runs} runs)`;
}

function tableLines(table: Table, machine: Machine): string[] {
  const { unit, rows, goals } = table;
  const [title, items] = [titleOf(table, machine), rows[0]?.items ?? 0];
  const counted = items > 1 ? `${title}, ${items.toLocaleString('en-US')} items` : title;
  const warmUp = table.warmUpItems > 0 ? ` (${table.warmUpItems.toLocaleString('en-US')} before)` : '';
  const heading = `${counted}${warmUp}`;
  const head = `| | median, ${unit} | from - to | Shoal is | from - to |`;
  const body = rows.map((row) => `| ${cellsOf(row, items).join(' | ')} |`);
  const below = goals.length > 0 && !machine.small ? ['', ...goals.map(goalLine)] : [];
  return ['', `### ${heading}`, '', head, '| --- | ---: | ---: | ---: | ---: |', ...body, ...below];
}

function cellsOf(row: Row, usualItems: number): string[] {
  const version = row.version === undefined ? '' : ` (${row.version})`;
  const fewer = row.items === usualItems ? '' : `, over ${row.items.toLocaleString('en-US')} items`;
  const name = `${row.contender}${version}${fewer}`;
  if (row.missing !== undefined) return [name, `missing: ${row.missing}`, '', '', ''];
  if (row.failed !== undefined) return [name, `FAILED: ${telling(row.failed)}`, '', '', ''];
  const figure = [numberText(row.median), `${numberText(row.low)} - ${numberText(row.high)}`];
  const { ratio, ratioLow = Number.NaN, ratioHigh = Number.NaN } = row;
  if (ratio === undefined) return [name, ...figure, '', ''];
  return [name, ...figure, `${numberText(ratio)} x`, `${numberText(ratioLow)} - ${numberText(ratioHigh)}`];
}

function goalLine(goal: GoalResult): string {
  const { text, isMet } = goal;
  const spread = spreadOf(goal);
  return `- Goal: ${text}: ${stateOf(isMet)}${spread}`;
}

/** The line that says what it was: of a stack, the one with the error. */
function telling(text: string): string {
  const lines = text.split('\n');
  const line = lines.find((each) => /^\s*(\w+\.)*\w*(Error|Exception)\b/.test(each)) ?? lines[0] ?? '';
  return line.trim().replaceAll('|', '/');
}
