/**
 * `npm run bench`: Shoal beside its peers, interleaved, every output checked.
 *
 *   npm run bench -- [--only NAME,…] [--runs 5] [--minutes N] [--processes N] [--out DIR] [--small] [--publish]
 *   npm run bench -- --growth [--only AXIS,…] [--runs 3] [--minutes N] [--out DIR] [--small] [--publish]
 *
 * Prints one table of everything and a table for each workload, and writes bench.json, bench.md and bench.svg to DIR
 * (.build/bench). With --growth: how the cost of an item grows with items, agents and jobs, as growth.json, growth.md and
 * a plot of each. `--minutes` begins no round that would end later. `--publish` keeps the figures as those that the
 * README and docs/benchmarks.md show, and writes these anew, if there were five rounds, or three of growth. `--small` runs everybody once, on few items, to see that
 * all of it works; several at the same time, so its figures mean nothing.
 *
 * Exit code 1 when Shoal failed or gave a wrong output, or --publish had too few rounds, 2 for a bad option. A peer that failed or is not installed is
 * named as such.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { roundsAMillisecond } from './calibration.ts';
import { chartOf } from './chart.ts';
import { conditions } from './conditions.ts';
import { hold } from './contest.ts';
import { tableOf } from './figures.ts';
import { axes } from './growth/axis.ts';
import { growthsOf } from './growth/growth.ts';
import { plotOf } from './growth/plot.ts';
import { load, machineNow } from './machine.ts';
import { growthMarkdown, markdownOf } from './markdown.ts';
import { endMeasurements } from './measurement.ts';
import { readOption, whole } from './options.ts';
import { publish } from './publication.ts';
import { readmeTable } from './readme-table.ts';
import { workloads } from './workloads.ts';

interface Flags {
  readonly growth: boolean;
  readonly publish: boolean;
  readonly small: boolean;
  readonly minutes: number;
  readonly runs: number;
  readonly processes: number;
  readonly only: readonly string[];
  readonly out: string;
}

function flagsOf(args: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      growth: { type: 'boolean', default: false },
      publish: { type: 'boolean', default: false },
      small: { type: 'boolean', default: false },
      minutes: { type: 'string' },
      runs: { type: 'string' },
      processes: { type: 'string', default: String(availableParallelism()) },
      only: { type: 'string' },
      out: { type: 'string', default: '.build/bench' },
    },
  });
  const { growth, publish, small, minutes, processes, out } = values;
  const names = (growth ? axes : workloads).map(({ name }) => name);
  const only = values.only?.split(',') ?? names;
  const unknown = only.find((each) => !names.includes(each));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: there is ${names.join(', ')}`);
  if (publish && small) throw new Error('--publish goes without --small: its figures mean nothing');
  const least = leastRounds(growth);
  const wanted = readOption('runs', values.runs ?? String(small ? 1 : least), whole(1));
  if (publish && wanted < least) {
    throw new Error(`--publish goes without --runs ${wanted}: what is published has at least ${least}`);
  }
  if (publish && only.length < names.length) {
    throw new Error('--publish goes without --only: the tables have to be from one run');
  }
  return {
    growth,
    publish,
    small,
    minutes: minutes === undefined ? Number.POSITIVE_INFINITY : readOption('minutes', minutes, whole(1)),
    runs: wanted,
    processes: readOption('processes', processes, whole(1)),
    only,
    out: resolve(out),
  };
}

/** What is published is held so often, at least. A round of growth takes more than a minute, and CPU time varies less. */
const leastRounds = (growth: boolean): number => (growth ? 3 : 5);

/** Whether enough rounds were held to be published: `--minutes` may have ended them. Says so if not. */
function isEnough(rounds: number, growth: boolean, out: string): boolean {
  const least = leastRounds(growth);
  if (rounds >= least) return true;
  process.stderr.write(
    `Not published: ${rounds} rounds in --minutes, and it takes ${least}. The figures are in ${out}.\n`,
  );
  return false;
}

async function bench({ small, runs, minutes, processes, only, out, ...flags }: Flags): Promise<number> {
  const chosen = workloads.filter(({ name }) => only.includes(name));
  const loadBefore = load();
  const contests = await hold(chosen, {
    scale: { small, processes, rounds: roundsAMillisecond() },
    runs,
    untilMs: minutes * 60_000,
    atOnce: small ? processes : 1,
    // Nobody takes more than ten seconds on a machine of its own.
    timeoutMs: small ? 120_000 : 300_000,
    peerTimeoutMs: small ? 30_000 : 90_000,
    onMeasured: (workload, contender, round, tookMs) => {
      const seconds = (tookMs / 1_000).toFixed(1);
      process.stderr.write(`${workload}: ${contender}, run ${round + 1} of ${runs}, ${seconds} s\n`);
    },
  });
  const tables = contests.map(tableOf);
  const held = Math.max(...contests.flatMap(({ entries }) => entries.map(({ values }) => values.length)));
  const machine = machineNow({ processes, runs: held, small, loadBefore });
  const markdown = `${readmeTable(machine, tables)}\n${markdownOf(machine, tables)}`;
  mkdirSync(out, { recursive: true });
  writeFileSync(
    join(out, 'bench.json'),
    `${JSON.stringify({ machine, conditions, tables }, undefined, 2)}\n`,
  );
  writeFileSync(join(out, 'bench.md'), markdown);
  writeFileSync(join(out, 'bench.svg'), chartOf(tables));
  process.stdout.write(markdown);
  const isPublishable = !flags.publish || isEnough(held, false, out);
  if (flags.publish && isPublishable) publish({ report: { machine, conditions, tables } });
  for (const { name, rows } of tables) {
    for (const { contender, failed } of rows) {
      if (failed !== undefined) process.stderr.write(`FAILED ${name}: ${contender} ${failed}\n`);
    }
  }
  const own = contests.flatMap(({ entries }) => entries.filter(({ isOurs }) => isOurs));
  return own.some(({ failed }) => failed !== undefined) || !isPublishable ? 1 : 0;
}

async function growth({ small, runs, minutes, processes, only, out, ...flags }: Flags): Promise<number> {
  const loadBefore = load();
  const { growths, rounds } = await growthsOf(
    axes.filter(({ name }) => only.includes(name)),
    {
      small,
      processes,
      runs,
      untilMs: minutes * 60_000,
      timeoutMs: small ? 120_000 : 300_000,
      onMeasured: ({ name, label }, place, at, round) =>
        process.stderr.write(`${name}: ${place}, ${at} ${label}, run ${round + 1} of ${runs}\n`),
    },
  );
  const machine = machineNow({ processes, runs: rounds, small, loadBefore });
  const markdown = growthMarkdown(machine, growths, '');
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'growth.json'), `${JSON.stringify({ machine, growths }, undefined, 2)}\n`);
  writeFileSync(join(out, 'growth.md'), markdown);
  for (const each of growths) writeFileSync(join(out, `growth-${each.name}.svg`), plotOf(each));
  process.stdout.write(markdown);
  const isPublishable = !flags.publish || isEnough(rounds, true, out);
  if (flags.publish && isPublishable) publish({ growth: { machine, growths } });
  const hasFailed = growths.some(({ series }) => series.some(({ failed }) => failed !== undefined));
  return hasFailed || !isPublishable ? 1 : 0;
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => {
    endMeasurements();
    process.exit(code);
  });
}

let flags: Flags | undefined;
try {
  flags = flagsOf(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
if (flags !== undefined) process.exitCode = await (flags.growth ? growth(flags) : bench(flags));
