/**
 * `npm run bench`: Shoal beside its peers, interleaved, every output checked.
 *
 *   npm run bench -- [--only NAME,…] [--runs 5] [--processes N] [--out DIR] [--small]
 *
 * Prints a table for each workload and writes bench.json, bench.md and bench.svg to DIR (.build/bench). `--small` runs
 * everybody once, on few items, to see that all of it works; several at the same time, so its figures mean nothing.
 * Exit code 1 when Shoal failed or gave a wrong output, 2 for a bad option. Another one that failed, was late or gave a
 * wrong output is named in its line with the reason, and who is not installed as missing: the run goes on.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { roundsAMillisecond } from './calibration.ts';
import { chartOf } from './chart.ts';
import { hold } from './contest.ts';
import { tableOf } from './figures.ts';
import { load, machineNow } from './machine.ts';
import { markdownOf } from './markdown.ts';
import { workloads } from './workloads.ts';

interface Flags {
  readonly small: boolean;
  readonly runs: number;
  readonly processes: number;
  readonly only: readonly string[];
  readonly out: string;
}

function flagsOf(args: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      small: { type: 'boolean', default: false },
      runs: { type: 'string' },
      processes: { type: 'string', default: String(availableParallelism()) },
      only: { type: 'string', default: workloads.map(({ name }) => name).join(',') },
      out: { type: 'string', default: '.build/bench' },
    },
  });
  const { small, processes, only, out } = values;
  const unknown = only.split(',').find((each) => !workloads.some(({ name }) => name === each));
  if (unknown !== undefined) {
    throw new Error(`--only ${unknown}: there is ${workloads.map(({ name }) => name).join(', ')}`);
  }
  return {
    small,
    runs: wholeNumber('--runs', values.runs ?? (small ? '1' : '5')),
    processes: wholeNumber('--processes', processes),
    only: only.split(','),
    out: resolve(out),
  };
}

function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${flag} ${text}: a whole number from 1`);
  return value;
}

async function bench({ small, runs, processes, only, out }: Flags): Promise<number> {
  const chosen = workloads.filter(({ name }) => only.includes(name));
  const loadBefore = load();
  const contests = await hold(chosen, {
    scale: { small, processes, rounds: roundsAMillisecond() },
    runs,
    atOnce: small ? processes : 1,
    timeoutMs: small ? 120_000 : 600_000,
    peerTimeoutMs: small ? 30_000 : 600_000,
    onMeasured: (workload, contender, round) =>
      process.stderr.write(`${workload}: ${contender}, run ${round + 1} of ${runs}\n`),
  });
  const tables = contests.map(tableOf);
  const machine = machineNow({ processes, runs, small, loadBefore });
  const markdown = markdownOf(machine, tables);
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'bench.json'), `${JSON.stringify({ machine, tables }, undefined, 2)}\n`);
  writeFileSync(join(out, 'bench.md'), markdown);
  writeFileSync(join(out, 'bench.svg'), chartOf(tables));
  process.stdout.write(markdown);
  for (const { name, rows } of tables) {
    for (const { contender, failed } of rows) {
      if (failed !== undefined) process.stderr.write(`FAILED ${name}: ${contender} ${failed}\n`);
    }
  }
  return tables.some(({ rows: [own] }) => own?.failed !== undefined) ? 1 : 0;
}

let flags: Flags | undefined;
try {
  flags = flagsOf(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
if (flags !== undefined) process.exitCode = await bench(flags);
