/**
 * What the traces of chunks and shards cost: `node --conditions=@shoal/source test/bench/trace-cost.ts [--rounds 5]`.
 *
 * A local pool, one item a chunk: nothing to hide behind. It runs without the code of the traces (their methods are
 * replaced by empty ones before anything has run), with it while nobody listens, as it is for everybody, and with a
 * listener; each in processes of its own, in turn. Counted is the CPU time of the caller, in which the traces are. Each
 * process is as dear as its cheapest job, for what else the machine does only ever adds to it. Then the calls that a
 * chunk makes of the traces alone, a million times: what does not show in a job is still known.
 */
import { execFileSync } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { fileURLToPath } from 'node:url';
import { Pool } from 'shoal';
import { ShardTraces } from '../../apps/coordinator/src/watch/shard-trace.ts';
import { ChunkTraces } from '../../libs/pool/src/child-pool/chunk-trace.ts';
import { oneOf, optionsOf, whole } from './options.ts';
import { tasksUrl } from './peer.ts';
import { median } from './statistics.ts';

const chunks = 1_000;
/** Of one process: the first ones while its code is being compiled. */
const [warmUpJobs, jobs] = [6, 12];
const calls = 1_000_000;

const ways = {
  without: 'without the code of the traces',
  off: 'nobody listens',
  on: 'somebody listens',
} as const;
type Way = keyof typeof ways;

const { rounds, way } = optionsOf({
  rounds: whole(5),
  way: oneOf<Way | 'all'>(['all', 'without', 'off', 'on'], 'all'),
});

/** Microseconds of this process's CPU for each of `count` turns. */
async function micros(count: number, run: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { system, user } = process.cpuUsage(before);
  return (system + user) / count;
}

/** What a chunk costs its caller, in a process that has done nothing else. */
async function chunkCost(way: Way): Promise<number> {
  let heard = 0;
  const empty = (): void => {};
  const none = { queued: empty, given: empty, succeeded: empty, ended: empty };
  if (way === 'without') Object.assign(ChunkTraces.prototype, none);
  if (way !== 'off') {
    subscribe('shoal.chunk', () => {
      heard += 1;
    });
  }
  await using pool = new Pool({ processes: 1 });
  const items = Array.from({ length: chunks }, (_, index) => index);
  const job = (): Promise<unknown> => pool.map(tasksUrl, items, { export: 'increment', chunkSize: 1 });
  for (let at = 0; at < warmUpJobs; at += 1) await job();
  const costs: number[] = [];
  for (let at = 0; at < jobs; at += 1) costs.push(await micros(chunks, job));
  const due = way === 'on' ? chunks * (warmUpJobs + jobs) : 0;
  if (heard !== due) throw new Error(`${way}: ${heard} traces where ${due} were due`);
  return Math.min(...costs);
}

/** What a chunk calls while nobody listens; its facts are never looked at. */
function chunkCalls(): Promise<number> {
  const [traces, facts] = [new ChunkTraces(), {} as never];
  return micros(calls, () => {
    for (let id = 0; id < calls; id += 1) {
      traces.queued(facts);
      traces.given(id as never);
      traces.succeeded(id as never, facts);
      traces.ended(id as never, facts);
    }
  });
}

/** The same of a shard, in the coordinator. */
function shardCalls(): Promise<number> {
  const [traces, facts] = [new ShardTraces(), {} as never];
  return micros(calls, () => {
    for (let id = 0; id < calls; id += 1) {
      traces.dispatched(facts, []);
      traces.succeeded(id as never, 1, 1);
      traces.ended(id as never, facts);
    }
  });
}

async function print(): Promise<void> {
  const costs: Record<Way, number[]> = { without: [], off: [], on: [] };
  const names = Object.keys(ways) as Way[];
  for (let round = 0; round < rounds; round += 1) {
    for (const at of names.keys()) {
      const way = names[(at + round) % names.length] as Way;
      const args = [...process.execArgv, fileURLToPath(import.meta.url), '--way', way];
      costs[way].push(Number(execFileSync(process.execPath, args, { encoding: 'utf8' })));
    }
  }
  const percent = (share: number): string => `${(100 * share).toPrecision(2)} %`;
  console.log(
    '| one item a chunk | CPU of the caller, µs a chunk | from - to | more |\n| :-- | --: | --: | --: |',
  );
  for (const way of names) {
    const more = costs[way].map((cost, at) => cost / (costs.without[at] ?? Number.NaN) - 1);
    const [low, high] = [Math.min(...costs[way]).toFixed(1), Math.max(...costs[way]).toFixed(1)];
    const last = way === 'without' ? '' : percent(median(more));
    console.log(`| ${ways[way]} | ${median(costs[way]).toFixed(1)} | ${low} - ${high} | ${last} |`);
  }
  console.log(
    '\n| calls of one chunk, nobody listens | µs | of what it costs its caller |\n| :-- | --: | --: |',
  );
  for (const [name, cost] of [
    ['shoal.chunk', await chunkCalls()],
    ['shoal.shard', await shardCalls()],
  ] as const) {
    console.log(`| ${name} | ${cost.toPrecision(2)} | ${percent(cost / median(costs.without))} |`);
  }
}

if (way === 'all') await print();
else console.log(await chunkCost(way));
