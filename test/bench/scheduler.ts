/**
 * What a shard costs the scheduler, by the number of agents and of jobs, and whether what it does is flat (it exits with 1 if
 * not; time alone is never judged):
 * `node --conditions=@shoal/source test/bench/scheduler.ts [--shards 200000] [--rounds 5] [--only steps,time,instructions]
 * [--sizes 8]`.
 *
 * Nothing but the pure scheduler runs: every shard is dispatched, gives its values and ends, and its outcomes are taken,
 * while every slot is full and every job runs on.
 *
 * - steps: how often a block of the scheduler's code is entered. V8 counts them, equal in every run.
 * - instructions: of the processor, the garbage collection included; where valgrind is installed, half a minute a row.
 * - time: CPU time of all threads of the process. The best of the rounds, for what else the machine does only ever adds.
 * - control: the time of as many agents and jobs in schedulers of ten agents at most, which know nothing of each other and
 *   are served in turn: the same memory on its way to the processor, and nothing in it that could grow.
 *
 * A transition is one event taken or one command given.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { hasValgrind, instructionsOf } from './callgrind.ts';
import { judge, type Row } from './flatness.ts';
import { optionsOf, someOf, whole } from './options.ts';
import type { Cost, Quantity } from './scheduler-row.ts';

const sizes = [
  [10, 1],
  [100, 1],
  [1_000, 1],
  [5_000, 1],
  [100, 10],
  [100, 100],
  [100, 1_000],
  [5_000, 1_000],
] as const;

const rowProgram = fileURLToPath(new URL('scheduler-row.ts', import.meta.url));
/** A tenth of the shards of a timed run: nothing blurs what is counted. */
const countedPart = 0.1;
/** Of instructions a quarter: the garbage collection comes every ten thousand shards, and once more or less must not show. */
const instructedPart = 0.25;

const {
  shards,
  rounds,
  only: asked,
  sizes: sizesMeasured,
} = optionsOf({
  shards: whole(200_000),
  rounds: whole(5),
  only: someOf(['steps', 'time', 'instructions']),
  sizes: whole(sizes.length, 1, sizes.length),
});

const measuredSizes = sizes.slice(0, sizesMeasured);
const [times, controls] = asked.includes('time') ? timed() : [[], []];
const rows = measuredSizes.map(([agents, jobs], at): Row => {
  const [time, control] = [times[at]?.perShard, controls[at]?.perShard];
  return {
    agents,
    jobs,
    ...(asked.includes('steps') ? { steps: measured('steps', agents, jobs).perShard } : {}),
    ...(asked.includes('instructions') && hasValgrind ? { instructions: instructions(agents, jobs) } : {}),
    ...(time === undefined || control === undefined ? {} : { time, control }),
  };
});
console.log(table());
if (asked.includes('instructions') && !hasValgrind)
  console.log('\nNo instructions: valgrind is not installed.');
const { isFlat, text } = judge(rows);
if (asked.some((each) => each !== 'time')) {
  console.log(`\n${text}`);
  process.exitCode = isFlat ? 0 : 1;
}

function table(): string {
  const head = ['agents', 'jobs', 'steps', 'instructions', 'time', 'control', 'transitions a second'];
  const lines = rows.map(({ agents, jobs, steps, instructions: counted, time, control }, at) => [
    grouped(agents),
    grouped(jobs),
    grouped(steps),
    grouped(counted),
    micros(time),
    micros(control),
    grouped(times[at]?.transitionsPerSecond),
  ]);
  return [head, head.map(() => '--:'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Time and control of each size, the best of the rounds; measured in turn, so that whatever else the machine does meets all. */
function timed(): [Cost[], Cost[]] {
  const all = measuredSizes.map(() => ({ time: [] as Cost[], control: [] as Cost[] }));
  for (let round = 0; round < rounds; round += 1) {
    for (const [at, [agents, jobs]] of measuredSizes.entries()) {
      all[at]?.time.push(measured('time', agents, jobs));
      all[at]?.control.push(measured('control', agents, jobs));
    }
  }
  const best = (costs: readonly Cost[]) => costs.reduce((a, b) => (b.perShard < a.perShard ? b : a));
  return [all.map(({ time }) => best(time)), all.map(({ control }) => best(control))];
}

function measured(quantity: Quantity, agents: number, jobs: number): Cost {
  const count = quantity === 'steps' ? countOf(agents) : shards;
  const args = [...process.execArgv, rowProgram, quantity, `${agents}`, `${jobs}`, `${count}`];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Cost;
}

/** Counted is what comes after a warm-up. */
function instructions(agents: number, jobs: number): number {
  const counted = Math.ceil(shards * instructedPart);
  const load = ['instructions', `${agents}`, `${jobs}`, `${counted}`];
  const [total = Number.NaN] = instructionsOf([...process.execArgv, rowProgram, ...load]);
  return total / counted;
}

/** Every shard that is on its way comes to its end at least twice: one part of them would not cost what the others do. */
function countOf(agents: number): number {
  return Math.max(Math.ceil(shards * countedPart), agents * 16);
}

function micros(value: number | undefined): string {
  return value === undefined ? '-' : `${value.toFixed(2)} µs`;
}

function grouped(value: number | undefined): string {
  return value === undefined ? '-' : Math.round(value).toLocaleString('en-US');
}
