/**
 * What a shard costs the scheduler, by the number of agents and of jobs:
 * `node --conditions=@shoal/source test/bench/scheduler.ts [--shards 200000]`.
 *
 * Nothing but the pure scheduler runs: every shard is dispatched, gives its values and ends. A transition is one event
 * taken or one command given. Time is CPU time of this process: others who use the machine meanwhile change it little.
 */
import { parseArgs } from 'node:util';
import { type JobSpec, Scheduler, type SchedulerCommand, type SchedulerEvent } from '@shoal/scheduler';

const { values } = parseArgs({ options: { shards: { type: 'string', default: '200000' } } });
const shardsWanted = Number(values.shards);
const slotsPerAgent = 2;

const spec: JobSpec = {
  priority: 0,
  labels: {},
  chunkSize: 10,
  group: { id: 'bench', processes: Number.MAX_SAFE_INTEGER },
  retries: { thrown: 0, crash: 2, timeout: 0, lost: 10 },
  ordered: true,
  failFast: false,
  pure: false,
  marksStarts: false,
  windowItems: 65_536,
  windowBytes: 2 ** 40,
};

interface Cost {
  readonly microsPerShard: number;
  readonly transitionsPerSecond: number;
}

/** Jobs in equal parts, all at once, on so many agents; items are pushed and acknowledged as the grants allow. */
class Load {
  readonly #scheduler = new Scheduler();
  readonly #queue: SchedulerCommand[] = [];
  readonly #pushed: Map<string, number> = new Map();
  readonly #itemsPerJob: number;
  #transitions = 0;
  #shards = 0;
  #atMs = 0;

  constructor(agents: number, jobs: number) {
    this.#itemsPerJob = Math.ceil(shardsWanted / jobs) * Number(spec.chunkSize);
    for (let agent = 1; agent <= agents; agent += 1) {
      const join = { type: 'agentJoined', labels: {}, held: [], permanent: false } as const;
      this.#step({ ...join, atMs: 0, agent: `agent-${agent}`, session: agent, slots: slotsPerAgent });
    }
    for (let job = 1; job <= jobs; job += 1) {
      this.#step({ type: 'jobCreated', atMs: 0, job: `job-${job}`, spec });
    }
  }

  run(): Cost {
    this.#transitions = 0;
    const before = process.cpuUsage();
    for (let at = 0; at < this.#queue.length; at += 1) {
      this.#obey(this.#queue[at] as SchedulerCommand);
      // What was obeyed is not needed any more; the array would hold millions.
      if (at === 100_000) {
        this.#queue.splice(0, at);
        at = 0;
      }
    }
    const { system, user } = process.cpuUsage(before);
    const ms = (user + system) / 1_000;
    return {
      microsPerShard: (ms * 1_000) / this.#shards,
      transitionsPerSecond: (this.#transitions * 1_000) / ms,
    };
  }

  #step(event: SchedulerEvent): void {
    const commands = this.#scheduler.step(event);
    this.#transitions += 1 + commands.length;
    this.#queue.push(...commands);
  }

  #obey(command: SchedulerCommand): void {
    this.#atMs += 0.001;
    const atMs = this.#atMs;
    if (command.type === 'grantItems') {
      const { job, upTo } = command;
      const before = this.#pushed.get(job) ?? 0;
      const count = Math.min(upTo, this.#itemsPerJob) - before;
      if (count <= 0) return;
      this.#pushed.set(job, before + count);
      this.#step({ type: 'itemsPushed', atMs, job, count, bytes: count * 100 });
      if (before + count === this.#itemsPerJob) this.#step({ type: 'inputEnded', atMs, job });
    } else if (command.type === 'deliver') {
      const { job, first, count } = command;
      this.#step({ type: 'resultsAcknowledged', atMs, job, position: first + count });
    } else if (command.type === 'dispatch') {
      const { attempt, session, first, count } = command;
      this.#shards += 1;
      const came = { atMs, session, attempt };
      this.#step({ ...came, type: 'itemsSucceeded', first, count, bytes: count * 100, runMs: count * 4 });
      this.#step({ ...came, type: 'attemptEnded', ending: { kind: 'finished' } });
    }
  }
}

const grouped = (value: number): string => Math.round(value).toLocaleString('en-US');
const rows: string[] = [];
// The first run warms the compiler up.
new Load(10, 10).run();
for (const [agents, jobs] of [
  [10, 1],
  [100, 1],
  [1_000, 1],
  [5_000, 1],
  [100, 10],
  [100, 100],
  [100, 1_000],
  [5_000, 1_000],
] as const) {
  const { microsPerShard, transitionsPerSecond } = new Load(agents, jobs).run();
  rows.push(
    `| ${grouped(agents)} | ${grouped(jobs)} | ${microsPerShard.toFixed(1)} µs | ${grouped(transitionsPerSecond)} |`,
  );
}
console.log(
  ['| agents | jobs | a shard | transitions a second |', '| --: | --: | --: | --: |', ...rows].join('\n'),
);
