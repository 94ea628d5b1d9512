import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Finding, findingsOf, number, type Soaked, type Struck } from './findings.ts';
import { plotOf } from './plot.ts';
import { slots } from './world.ts';

/** Where and with what it was run. */
export interface Circumstances {
  readonly command: string;
  readonly commit: string;
  readonly node: string;
  readonly cpus: number;
  readonly date: string;
}

/** Writes report.md, plot.svg and soak.json, and returns what the report says. */
export function writeReport(folder: string, soaked: Soaked, circumstances: Circumstances): string {
  const markdown = reportOf(soaked, circumstances);
  const { starts, ...rest } = soaked;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'report.md'), markdown);
  writeFileSync(join(folder, 'plot.svg'), plotOf(soaked));
  const facts = { circumstances, findings: findingsOf(soaked), ...rest, calls: sum(starts) };
  writeFileSync(join(folder, 'soak.json'), `${JSON.stringify(facts, undefined, 1)}\n`);
  return markdown;
}

/** The report, for people. */
export function reportOf(soaked: Soaked, { command, commit, cpus, date, node }: Circumstances): string {
  const { client, events, faults, items, samples, seed, starts, tookMs } = soaked;
  const findings = findingsOf(soaked);
  const struck = faults.filter(({ missed }) => missed === undefined);
  const broken = findings.filter(({ isKept }) => !isKept).length;
  const calls = sum(starts);
  const held = Math.max(0, ...samples.map(({ status }) => status?.heldBytes ?? 0));
  const facts: readonly (readonly [string, string])[] = [
    ['commit', commit],
    ['when', date],
    ['where', `Node ${node}, ${cpus} CPUs${soaked.hasNetwork ? '' : ', no network namespaces'}`],
    ['seed', String(seed)],
    ['time', `${(tookMs / 60_000).toFixed(1)} min`],
    ['items', `${number(items)}, of ${Math.round(client.workMs / client.done)} ms on average`],
    ['slots at work for outcomes that count', `${Math.round((100 * client.workMs) / (slots * tookMs))} %`],
    ['calls of the function', number(calls)],
    ['of them extra', number(calls - starts.filter((count) => count > 0).length)],
    ['faults', number(struck.length)],
    ['that found nobody to strike, and do not count', number(faults.length - struck.length)],
    ['agents given up', number(events['agent.lost'] ?? 0)],
    ['agents set aside for coming and going', number(events['agent.quarantined'] ?? 0)],
    ['sessions of agents', number(events['agent.joined'] ?? 0)],
    ['dispatches that were never confirmed', number(events['attempt.unconfirmed'] ?? 0)],
    ['late results refused', number(events['result.refused'] ?? 0)],
    ['bytes held by the coordinator, at most', number(held)],
  ];
  return [
    `\`${command}\`: ${broken === 0 ? 'every promise kept' : `${broken} BROKEN`}.`,
    '',
    ...table(['', ''], facts),
    '',
    ...table(['promise', 'seen', ''], findings.map(rowOf)),
    '',
    ...table(['fault', 'times'], timesOf(struck)),
    '',
  ].join('\n');
}

function rowOf({ isKept, promise, seen }: Finding): string[] {
  return [promise, seen.replaceAll('\n', ' ').replaceAll('|', '/'), isKept ? 'kept' : '**BROKEN**'];
}

function timesOf(struck: readonly Struck[]): string[][] {
  const times = new Map<string, number>();
  for (const { kind, target } of struck) {
    const fault = `${kind}: ${target === 'client' || target === 'coordinator' ? target : 'agents'}`;
    times.set(fault, (times.get(fault) ?? 0) + 1);
  }
  return [...times].sort(([, a], [, b]) => b - a).map(([fault, count]) => [fault, String(count)]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
