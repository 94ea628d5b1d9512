/**
 * What a shard costs the scheduler, by the number of agents and of jobs:
 * `node --conditions=@shoal/source test/bench/scheduler.ts [--shards 200000] [--rounds 5]`.
 *
 * Nothing but the pure scheduler runs: every shard is dispatched, gives its values and ends, and its outcomes are taken.
 * Each row is measured in processes of its own, one a round, the rows in turn; its figure is the median. In each of them
 * every slot is filled and every job runs on, as many shards pass to warm the compiler up as are then measured, and the
 * number of shards is the same for all rows. Time is CPU time of all threads of the process, its garbage collection
 * included. A transition is one event taken or one command given.
 *
 * `--instructions` counts the processor's instructions instead of time (with valgrind): what the scheduler does for a
 * shard, whatever the machine's caches make of it. Two runs of different length each, of which the difference counts.
 *
 * `--control` tells what of the growth is not the scheduler's doing: a thousand schedulers of one job and one agent, each
 * asked in turn, have no deeper queue than one alone and a thousand times its memory.
 */
import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { type Cost, SchedulerLoad } from './scheduler-load.ts';
import { median } from './statistics.ts';

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

/** Shards of the shorter run under valgrind. */
const counted = 15_000;

const { values } = parseArgs({
  options: {
    shards: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '5' },
    agents: { type: 'string' },
    jobs: { type: 'string' },
    control: { type: 'boolean', default: false },
    instructions: { type: 'boolean', default: false },
  },
});

if (values.control) console.log(control());
else if (values.instructions) console.log(await instructionTable());
else if (values.agents === undefined) console.log(table());
else console.log(JSON.stringify(measured(Number(values.agents), Number(values.jobs))));

/** In this process. */
function measured(agents: number, jobs: number): Cost {
  const load = new SchedulerLoad(agents, jobs);
  load.run(Math.max(Number(values.shards), load.shardsInFlight * 2));
  return load.run(Number(values.shards));
}

function table(): string {
  const costs = sizes.map((): Cost[] => []);
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const [at, [agents, jobs]] of sizes.entries()) costs[at]?.push(measuredApart(agents, jobs));
  }
  const rows = sizes.map(([agents, jobs], at) => {
    const micros = median((costs[at] as Cost[]).map(({ microsPerShard }) => microsPerShard));
    const transitions = median((costs[at] as Cost[]).map(({ transitionsPerSecond }) => transitionsPerSecond));
    return `| ${grouped(agents)} | ${grouped(jobs)} | ${micros.toFixed(2)} µs | ${grouped(transitions)} |`;
  });
  return ['| agents | jobs | a shard | transitions a second |', '| --: | --: | --: | --: |', ...rows].join(
    '\n',
  );
}

/** Under valgrind a row takes minutes: one job, and a thousand. */
async function instructionTable(): Promise<string> {
  const rows: string[] = [];
  for (const jobs of [1, 1_000]) {
    const [short, long] = await Promise.all([1, 3].map((times) => instructions(100, jobs, counted * times)));
    // As many shards warm up as are measured, and three times as many twice over are four times as many more.
    rows.push(
      `| 100 | ${grouped(jobs)} | ${grouped(((long as number) - (short as number)) / (4 * counted))} |`,
    );
  }
  return ['| agents | jobs | instructions a shard |', '| --: | --: | --: |', ...rows].join('\n');
}

/** Of a whole process with one thread: the others of V8 would come and go as they like. */
async function instructions(agents: number, jobs: number, shards: number): Promise<number> {
  const args = ['--tool=callgrind', '--callgrind-out-file=/dev/null', '--smc-check=all-non-file'];
  const node = [process.execPath, '--single-threaded', ...process.execArgv, fileURLToPath(import.meta.url)];
  const load = [`--agents=${agents}`, `--jobs=${jobs}`, `--shards=${shards}`];
  const { stderr } = await promisify(execFile)('valgrind', [...args, ...node, ...load]);
  return Number(/Collected : (\d+)/.exec(stderr)?.[1]);
}

function control(): string {
  const rows = [
    ['one scheduler of one job and one agent', measured(1, 1).microsPerShard],
    ['one scheduler of 1,000 jobs and 1,000 agents', measured(1_000, 1_000).microsPerShard],
    ['1,000 schedulers of one job and one agent, in turn', measuredInTurn(1_000)],
  ] as const;
  return rows.map(([what, micros]) => `${what}: ${micros.toFixed(2)} µs a shard`).join('\n');
}

/** A message of each in turn: every second one is a shard's, the others say that its outcomes were taken. */
function measuredInTurn(schedulers: number): number {
  const loads = Array.from({ length: schedulers }, () => new SchedulerLoad(1, 1));
  const shardsEach = Math.ceil(Number(values.shards) / schedulers);
  let micros = 0;
  // The first time is for warming up.
  for (const _ of ['warm up', 'measure']) {
    const before = process.cpuUsage();
    for (let message = 0; message < shardsEach * 2; message += 1) for (const load of loads) load.arrive();
    const { system, user } = process.cpuUsage(before);
    micros = user + system;
  }
  return micros / (shardsEach * schedulers);
}

/** In a process of its own: what one row leaves in the heap and in the compiler must not meet the next. */
function measuredApart(agents: number, jobs: number): Cost {
  const args = [
    ...process.execArgv,
    fileURLToPath(import.meta.url),
    `--shards=${values.shards}`,
    `--agents=${agents}`,
    `--jobs=${jobs}`,
  ];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Cost;
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
