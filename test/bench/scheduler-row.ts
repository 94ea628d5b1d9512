/**
 * One measurement of what a shard costs the scheduler, in a process of its own: what one leaves in the heap and in the
 * compiler must not meet the next. `node scheduler-row.ts time|control|steps|instructions AGENTS JOBS SHARDS` prints
 * `{ perShard, transitionsPerSecond }` (time in microseconds of CPU, of all threads).
 */
import { Session } from 'node:inspector/promises';
import { countInstructions, prepareCounting } from './callgrind.ts';
import { SchedulerLoad } from './scheduler-load.ts';

/** What is measured. */
export type Quantity =
  /** CPU time. */
  | 'time'
  /** CPU time of as many agents and jobs, in schedulers of ten agents at most that know nothing of each other. */
  | 'control'
  /** How often a block of the scheduler's code is entered. */
  | 'steps'
  /** The processor's instructions: within valgrind, whose command counts them. */
  | 'instructions';

/** What a shard has cost. */
export interface Cost {
  readonly perShard: number;
  readonly transitionsPerSecond: number;
}

/** The code of a warm-up is called so often: a part that is compiled for the first call alone would be again for the next. */
const warmUps = 10;

/**
 * The load that comes first in every process, whatever its row: agents and jobs. The compiler makes of the scheduler what
 * it has seen of it, and of one that never met a second job it makes code that no cluster runs. Rows would differ by what
 * the compiler guessed, and not by what is done for a shard.
 */
const [commonAgents, commonJobs] = [100, 100];

const [quantity, ...numbers] = process.argv.slice(2) as [Quantity, ...string[]];
const [agents = 0, jobs = 0, shards = 0] = numbers.map(Number);
process.stdout.write(`${JSON.stringify(await measured())}\n`);

async function measured(): Promise<Cost> {
  if (quantity === 'steps') return await steps();
  const loads = quantity === 'control' ? small() : [new SchedulerLoad(agents, jobs)];
  if (quantity === 'instructions') return instructions(loads);
  warmAll(loads, shards);
  const before = process.cpuUsage();
  const transitions = run(loads, shards);
  const { system, user } = process.cpuUsage(before);
  const micros = system + user;
  return { perShard: micros / shards, transitionsPerSecond: (transitions * 1e6) / micros };
}

/** So many shards come to their end, of one scheduler after the other in turn. Answers the transitions that they took. */
function run(loads: readonly SchedulerLoad[], count: number): number {
  const sum = (of: 'shards' | 'transitions') => loads.reduce((total, load) => total + load[of], 0);
  const before = sum('transitions');
  for (let left = count; left > 0; ) {
    for (const load of loads) {
      const ended = load.shards;
      load.arrive();
      left -= load.shards - ended;
      if (left === 0) break;
    }
  }
  return sum('transitions') - before;
}

/** The compiler first, by what is common to all rows; then what is to be measured. */
function warmAll(loads: readonly SchedulerLoad[], count: number): void {
  warm([new SchedulerLoad(commonAgents, commonJobs)], count);
  warm(loads, count);
}

/** Until every slot is in use, every job runs on, and the compiler is done. */
function warm(loads: readonly SchedulerLoad[], count: number): void {
  const inFlight = loads.reduce((total, load) => total + load.shardsInFlight, 0);
  const each = Math.ceil(Math.max(count, inFlight * 2, jobs * 8) / warmUps);
  for (let time = 0; time < warmUps; time += 1) run(loads, each);
}

/** As many agents and jobs as are asked for, in schedulers of ten agents, or of one where jobs are more than ten to ten. */
function small(): SchedulerLoad[] {
  const agentsEach = jobs > agents ? 1 : Math.min(10, agents);
  const schedulers = agents / agentsEach;
  const jobsEach = Math.max(1, Math.round(jobs / schedulers));
  return Array.from({ length: schedulers }, () => new SchedulerLoad(agentsEach, jobsEach));
}

/** By V8's own counters, which know each block of code: equal in every run, on every machine. */
async function steps(): Promise<Cost> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const loads = [new SchedulerLoad(agents, jobs)];
  warm(loads, 0);
  await session.post('Profiler.takePreciseCoverage');
  run(loads, shards);
  const { result } = await session.post('Profiler.takePreciseCoverage');
  const counts = result
    .filter(({ url }) => url.includes('/libs/scheduler/'))
    .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges.map(({ count }) => count)));
  return { perShard: counts.reduce((a, b) => a + b, 0) / shards, transitionsPerSecond: 0 };
}

async function instructions(loads: readonly SchedulerLoad[]): Promise<Cost> {
  prepareCounting();
  warmAll(loads, shards * 2);
  await countInstructions(() => run(loads, shards));
  return { perShard: 0, transitionsPerSecond: 0 };
}
