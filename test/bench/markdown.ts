import { type GoalResult, numberText, type Row, type Table } from './figures.ts';
import type { Machine } from './machine.ts';

/** The whole run as Markdown: a table for each workload, everybody in it, missing ones by name. */
export function markdownOf(machine: Machine, tables: readonly Table[]): string {
  const { cpu, cpus, node, processes, runs, loadBefore, loadAfter, commit, small } = machine;
  const lines = [
    `${cpu}, ${cpus} CPUs, ${processes} processes, Node ${node}, commit ${commit},`,
    `${runs} ${runs === 1 ? 'run' : 'runs'} of each, interleaved; load ${loadBefore} before, ${loadAfter} after.`,
    ...(small ? ['A small run: it shows that everything works, its figures mean nothing.'] : []),
  ];
  return `${[...lines, ...tables.flatMap((table) => tableLines(table, small))].join('\n')}\n`;
}

function tableLines({ title, unit, rows, goals }: Table, small: boolean): string[] {
  const items = rows[0]?.items ?? 0;
  const heading = items > 1 ? `${title}, ${items.toLocaleString('en-US')} items` : title;
  const head = `| | median, ${unit} | from - to | Shoal is |`;
  const body = rows.map((row) => `| ${cellsOf(row, items).join(' | ')} |`);
  const below = goals.length > 0 && !small ? ['', ...goals.map(goalLine)] : [];
  return ['', `### ${heading}`, '', head, '| --- | ---: | ---: | ---: |', ...body, ...below];
}

function cellsOf(row: Row, usualItems: number): string[] {
  const version = row.version === undefined ? '' : ` (${row.version})`;
  const fewer = row.items === usualItems ? '' : `, over ${row.items.toLocaleString('en-US')} items`;
  const name = `${row.contender}${version}${fewer}`;
  if (row.missing !== undefined) return [name, `missing: ${row.missing}`, '', ''];
  if (row.failed !== undefined) return [name, `FAILED: ${telling(row.failed)}`, '', ''];
  const spread = `${numberText(row.low)} - ${numberText(row.high)}`;
  return [name, numberText(row.median), spread, row.ratio === undefined ? '' : `${numberText(row.ratio)} x`];
}

function goalLine({ text, isMet }: GoalResult): string {
  const state = isMet === undefined ? 'not measured' : isMet ? 'met' : 'NOT met';
  return `- Goal: ${text}: ${state}`;
}

/** The line that says what it was: of a stack, the one with the error. */
function telling(text: string): string {
  const lines = text.split('\n');
  const line = lines.find((each) => /^\s*(\w+\.)*\w*(Error|Exception)\b/.test(each)) ?? lines[0] ?? '';
  return line.trim().replaceAll('|', '/');
}
