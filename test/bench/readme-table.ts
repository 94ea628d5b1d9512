import { type GoalResult, numberText, type Row, spreadOf, stateOf, type Table } from './figures.ts';
import { flatRule, type Growth, isFlat, type Series } from './growth/growth.ts';
import type { Machine } from './machine.ts';
import { machineLines, titleOf } from './markdown.ts';
import type { GrowthReport } from './publication.ts';

/**
 * The whole run in one table, a line for each workload: what Shoal reached, how many times better it was than each of the
 * others, and which goals it met; and how cost grows, measured by itself. This is what the README shows.
 */
export function readmeTable(machine: Machine, tables: readonly Table[], growth?: GrowthReport): string {
  return [
    ...machineLines(machine),
    '',
    '| workload | Shoal | Shoal is | goals |',
    '| --- | ---: | --- | --- |',
    ...tables.map((table) => `| ${cellsOf(table, machine).join(' | ')} |`),
    ...(growth === undefined ? [] : growthTable(growth)),
    '',
  ].join('\n');
}

function cellsOf(table: Table, machine: Machine): string[] {
  const { unit, rows, goals } = table;
  const [title, [own, ...others]] = [titleOf(table, machine), rows];
  if (own === undefined) return [title, '', '', ''];
  const figure = own.failed === undefined ? `${numberText(own.median)} ${unit}` : 'FAILED';
  return [
    title,
    figure,
    others.map(besides).join(', '),
    machine.small ? 'not judged' : goals.map(verdict).join('<br>'),
  ];
}

function besides({ contender, missing, failed, ratio }: Row): string {
  if (missing !== undefined) return `${contender}: not installed`;
  if (failed !== undefined) return `${contender}: failed`;
  return `${numberText(ratio ?? Number.NaN)} x ${contender}`;
}

const verdict = (goal: GoalResult): string => `${stateOf(goal.isMet)}: ${goal.text}${spreadOf(goal)}`;

function growthTable({ machine, growths }: GrowthReport): string[] {
  return [
    '',
    'How the cost of an item grows (`npm run bench -- --growth`):',
    ...machineLines(machine),
    '',
    flatRule,
    ...growths.flatMap(startLines),
    '',
    '| | from the first point to the last | goal |',
    '| --- | ---: | --- |',
    ...growths.flatMap((growth) => growthLines(growth, machine)),
  ];
}

function growthLines({ title, series }: Growth, { small }: Machine): string[] {
  return series.map((each) => {
    const judged = small ? 'not judged' : `${stateOf(isFlat(each))}: flat or falling`;
    return `| ${title}, ${each.place} | ${growthFigure(each)} | ${judged} |`;
  });
}

/** What small jobs cost more, where jobs grow by their items: their start is in it. */
function startLines({ name, series }: Growth): string[] {
  if (name !== 'items') return [];
  return series.flatMap(({ place, points }) => {
    const [first, last] = [points.at(0), points.at(-1)];
    if (first === undefined || last === undefined || first.microseconds <= last.microseconds) return [];
    const [few, many] = [first, last].map(({ at }) => at.toLocaleString('en-US'));
    const times = numberText(first.microseconds / last.microseconds);
    return `A ${place} job of ${few} items costs ${numberText(first.microseconds)} µs an item, ${times} times what one of ${many} does: its start.`;
  });
}

/** `1.2 → 1.1 µs`, from the first point to the last. */
function growthFigure({ points, failed }: Series): string {
  const [first, last] = [points.at(0), points.at(-1)];
  if (failed !== undefined || first === undefined || last === undefined) return 'FAILED';
  return `${numberText(first.microseconds)} → ${numberText(last.microseconds)} µs`;
}
