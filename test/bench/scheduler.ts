/**
 * What a shard costs the scheduler, by the number of agents and of jobs:
 * `node --conditions=@shoal/source test/bench/scheduler.ts [--shards 200000] [--rounds 5]`.
 *
 * Nothing but the pure scheduler runs: every shard is dispatched, gives its values and ends, and its outcomes are taken.
 * Each row is measured in processes of its own, one a round, the rows in turn; its figure is the best, for what else the
 * machine does only ever adds to it. In each of them every slot is filled and every job runs on, as many shards pass to
 * warm the compiler up as are then measured, and the number of shards is the same for all rows. Time is CPU time of all
 * threads of the process, its garbage collection included. A transition is one event taken or one command given.
 *
 * `--instructions` counts the processor's instructions instead of time (with valgrind): what the scheduler does for a
 * shard, whatever the machine's caches make of it. Two runs of different length each, of which the difference counts;
 * `--agents 100 --jobs 10` counts that row alone.
 *
 * `--control` tells what of the growth is not the scheduler's doing but its memory's way to the processor: the same
 * instructions with less memory between two looks at the same job.
 */
import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { type Arrival, type Cost, SchedulerLoad } from './scheduler-load.ts';

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

/** Rows whose instructions are counted: under valgrind each takes a minute or two. */
const counted = [
  [10, 1],
  [100, 1],
  [5_000, 1],
  [100, 1_000],
] as const;
/** Shards before the count, and counted ones of the shorter and of the longer run. */
const [warmUp, few, many] = [80_000, 5_000, 25_000];

const { values } = parseArgs({
  options: {
    shards: { type: 'string', default: '200000' },
    rounds: { type: 'string', default: '5' },
    agents: { type: 'string' },
    jobs: { type: 'string' },
    arrival: { type: 'string', default: 'asSent' },
    'warm-up': { type: 'string' },
    control: { type: 'boolean', default: false },
    instructions: { type: 'boolean', default: false },
  },
});

const rowAsked = [Number(values.agents), Number(values.jobs)] as const;

if (values.control) console.log(control());
else if (values.instructions) console.log(await instructionTable());
else if (values.agents === undefined) console.log(table());
else console.log(JSON.stringify(measured(...rowAsked)));

/** In this process. */
function measured(agents: number, jobs: number): Cost {
  const load = new SchedulerLoad(agents, jobs, values.arrival as Arrival);
  load.run(Math.max(Number(values['warm-up'] ?? values.shards), load.shardsInFlight * 2));
  return load.run(Number(values.shards));
}

function table(): string {
  const costs = best(
    sizes.map(
      ([agents, jobs]) =>
        () =>
          measuredApart(agents, jobs),
    ),
  );
  const rows = sizes.map(([agents, jobs], at) => {
    const { microsPerShard, transitionsPerSecond } = costs[at] as Cost;
    return `| ${grouped(agents)} | ${grouped(jobs)} | ${microsPerShard.toFixed(2)} µs | ${grouped(transitionsPerSecond)} |`;
  });
  return ['| agents | jobs | a shard | transitions a second |', '| --: | --: | --: | --: |', ...rows].join(
    '\n',
  );
}

/** The best of the rounds of each. They are measured in turn, so that what else the machine does meets all of them. */
function best(measures: ReadonlyArray<() => Cost>): Cost[] {
  const costs = measures.map((): Cost[] => []);
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const [at, measure] of measures.entries()) costs[at]?.push(measure());
  }
  return costs.map((each) => each.reduce((a, b) => (b.microsPerShard < a.microsPerShard ? b : a)));
}

/** Of the row that was asked for, or of each. */
async function instructionTable(): Promise<string> {
  const rows: string[] = [];
  for (const [agents, jobs] of values.agents === undefined ? counted : [rowAsked]) {
    const runs = [few, many].map((shards) => instructions(agents, jobs, shards));
    const [short, long] = (await Promise.all(runs)) as [number, number];
    rows.push(`| ${grouped(agents)} | ${grouped(jobs)} | ${grouped((long - short) / (many - few))} |`);
  }
  return ['| agents | jobs | instructions a shard |', '| --: | --: | --: |', ...rows].join('\n');
}

/** Of a whole process with one thread: the others of V8 would come and go as they like. */
async function instructions(agents: number, jobs: number, shards: number): Promise<number> {
  const args = ['--tool=callgrind', '--callgrind-out-file=/dev/null', '--smc-check=all-non-file'];
  const node = [process.execPath, '--single-threaded', ...process.execArgv, fileURLToPath(import.meta.url)];
  const load = [`--agents=${agents}`, `--jobs=${jobs}`, `--shards=${shards}`, `--warm-up=${warmUp}`];
  const { stderr } = await promisify(execFile)('valgrind', [...args, ...node, ...load]);
  return Number(/Collected : (\d+)/.exec(stderr)?.[1]);
}

function control(): string {
  const rows = [
    ['5,000 agents, 1 job', 5_000, 1, 'asSent'],
    ['5,000 agents, 1,000 jobs', 5_000, 1_000, 'asSent'],
    ['5,000 agents, 1,000 jobs, the messages of each job together', 5_000, 1_000, 'byJob'],
    ['100 agents, 1 job', 100, 1, 'asSent'],
    ['100 agents, 100 jobs', 100, 100, 'asSent'],
    ['100 agents, 1,000 jobs', 100, 1_000, 'asSent'],
  ] as const;
  const costs = best(
    rows.map(
      ([_, agents, jobs, arrival]) =>
        () =>
          measuredApart(agents, jobs, arrival),
    ),
  );
  return rows.map(([what], at) => `${what}: ${costs[at]?.microsPerShard.toFixed(2)} µs a shard`).join('\n');
}

/** In a process of its own: what one row leaves in the heap and in the compiler must not meet the next. */
function measuredApart(agents: number, jobs: number, arrival: Arrival = 'asSent'): Cost {
  const args = [
    ...process.execArgv,
    fileURLToPath(import.meta.url),
    `--shards=${values.shards}`,
    `--agents=${agents}`,
    `--jobs=${jobs}`,
    `--arrival=${arrival}`,
  ];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Cost;
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
