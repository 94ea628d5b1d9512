/**
 * What `maxTasksPerChild` costs on this machine (Linux): `npm run build && node test/bench/recycling.ts [--seconds 1] [--repeats 1]
 * [--start-children fork]`.
 *
 * Efficiency is the CPU time of the tasks over that of all processes of the pool, this one included: 100 % would be a
 * pool that costs nothing. CPU time, because others who use the machine meanwhile change it little. What a pool costs to
 * start is taken off: it is paid once. A cell whose children would not be replaced three times in a run is not measured
 * but calculated.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { Pool } from 'shoal';
import { hash, hashesPerMs } from './cpu-work.ts';
import { oneOf, optionsOf, positive, whole } from './options.ts';
import { median } from './statistics.ts';

const {
  seconds,
  repeats,
  'start-children': startChildren,
} = optionsOf({
  seconds: positive(1),
  repeats: whole(1),
  'start-children': oneOf(['spawn', 'fork'], 'spawn'),
});
const runMs = seconds * 1000;
const processes = availableParallelism();
const limits = [1, 10, 100, 1000, undefined];
const taskMs = [1, 5, 50];
/** A run that uses up this many children of each process has shown enough. */
const childrenMax = 20;
const replacedMin = 3;

interface Run {
  /** CPU time of the tasks. */
  readonly workMs: number;
  /** CPU time of everything. */
  readonly cpuMs: number;
  readonly seconds: number;
}

/** CPU time of this process and of all those that it started and that are gone. The kernel counts in 10 ms. */
function cpuMsSoFar(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  // After the name, which may hold anything: utime, stime, cutime and cstime are the 12th to the 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * 10, 0);
}

async function run(items: number, ms: number, maxTasksPerChild: number | undefined): Promise<Run> {
  // Anew for each run: who shares a core with us changes.
  const times = Math.round(ms * hashesPerMs());
  const cpuBefore = cpuMsSoFar();
  const pool = new Pool({ processes, maxTasksPerChild, startChildren });
  const startedAt = performance.now();
  const works = await pool.map(
    hash,
    Array.from({ length: items }, () => times),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  await pool.terminate();
  const workMs = works.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  return { workMs, cpuMs: cpuMsSoFar() - cpuBefore, seconds };
}

async function medianOf(measure: () => Promise<number>): Promise<number> {
  const seen: number[] = [];
  for (let time = 0; time < repeats; time++) seen.push(await measure());
  return median(seen);
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;
const row = (cells: readonly string[]): void =>
  console.log(
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(15) : cell.padStart(12))).join(' | ')} |`,
  );

console.log(
  `${cpus()[0]?.model ?? 'unknown CPU'}, ${processes} usable CPUs, Node ${process.version}, ${processes} processes, load ${loadavg()[0]?.toFixed(1)} before the run.\n`,
);

const bareBefore = cpuMsSoFar();
for (let time = 0; time < 10; time++) spawnSync(process.execPath, ['--eval', '0']);
console.log(
  `A bare Node process that does nothing: ${((cpuMsSoFar() - bareBefore) / 10).toFixed(0)} ms of a CPU.`,
);

// Once unmeasured: modules load, files come into the cache.
await run(processes, 0, undefined);
const startMs = (await run(processes, 0, undefined)).cpuMs;

const plenty = processes * childrenMax;
const replaced = await run(plenty, 0, 1);
const childMs = (replaced.cpuMs - startMs) / (plenty - processes);
const mostPerSecond = Math.floor((1000 * processes) / childMs);
console.log(
  `A fresh process for each of ${plenty} tasks that do nothing: ${childMs.toFixed(0)} ms of a CPU each,`,
);
console.log(
  `so at most ${mostPerSecond} children/s with all CPUs; ${(plenty / replaced.seconds).toFixed(0)} children/s in this run.\n`,
);

function efficiency(ms: number, limit: number | undefined): Promise<number> {
  const perProcess = Math.ceil(Math.min(runMs / ms, childrenMax * (limit ?? runMs)));
  return medianOf(async () => {
    const { workMs, cpuMs } = await run(perProcess * processes, ms, limit);
    return workMs / (cpuMs - startMs);
  });
}

const never = new Map<number, number>();
for (const ms of taskMs) never.set(ms, await efficiency(ms, undefined));

row(['tasks per child', ...taskMs.map((ms) => `${ms} ms a task`)]);
row(['---', ...taskMs.map(() => '---:')]);
for (const limit of limits) {
  const cells: string[] = [];
  for (const ms of taskMs) {
    const calm = never.get(ms) ?? Number.NaN;
    const lifeMs = (limit ?? Number.POSITIVE_INFINITY) * ms;
    if (limit === undefined) cells.push(percent(calm));
    else if (lifeMs * replacedMin <= runMs) cells.push(percent(await efficiency(ms, limit)));
    else cells.push(`~ ${percent(lifeMs / (lifeMs / calm + childMs))}`);
  }
  row([limit === undefined ? 'never replaced' : limit.toLocaleString('en-US'), ...cells]);
}
console.log('\n~ calculated from what a child costs: hardly one would be replaced in a run of this length.');
