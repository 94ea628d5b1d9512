/**
 * What the traces of chunks and shards cost: `node --conditions=@shoal/source test/bench/trace-cost.ts [--rounds 5]`.
 *
 * A local pool, one item a chunk: nothing to hide behind. It runs without the code of the traces (their methods are
 * replaced by empty ones before anything has run), with it while nobody listens, as it is for everybody, and with a
 * listener; each in processes of its own, in turn. Counted is the CPU time of the caller, in which the traces are. Each
 * process is as dear as its cheapest job, for what else the machine does only ever adds to it. That is too far apart to show a percent, so
 * where valgrind is installed instructions are counted as well, those of the calls and those of a chunk's caller.
 */
import { execFileSync } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { fileURLToPath } from 'node:url';
import { Pool } from 'shoal';
import { ChunkTraces } from '../../libs/pool/src/child-pool/chunk-trace.ts';
import { hasValgrind, instructionsOf } from './callgrind.ts';
import { oneOf, optionsOf, whole } from './options.ts';
import { tasksUrl } from './peer.ts';
import { median } from './statistics.ts';
import { calls, chunks as countedChunks, interpreted } from './trace-instructions.ts';

const chunks = 1_000;
/** Of one process: the first ones while its code is being compiled. */
const [warmUpJobs, jobs] = [6, 12];

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

const percent = (share: number): string => `${(100 * share).toPrecision(2)} %`;

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
  console.log(
    '| one item a chunk | CPU of the caller, µs a chunk | from - to | more |\n| :-- | --: | --: | --: |',
  );
  for (const way of names) {
    const more = costs[way].map((cost, at) => cost / (costs.without[at] ?? Number.NaN) - 1);
    const [low, high] = [Math.min(...costs[way]).toFixed(1), Math.max(...costs[way]).toFixed(1)];
    const last = way === 'without' ? '' : percent(median(more));
    console.log(`| ${ways[way]} | ${median(costs[way]).toFixed(1)} | ${low} - ${high} | ${last} |`);
  }
  printInstructions();
}

function printInstructions(): void {
  if (!hasValgrind) {
    console.log('\nNo instructions: valgrind is not installed.');
    return;
  }
  const program = fileURLToPath(new URL('trace-instructions.ts', import.meta.url));
  const counted = (what: 'chunk' | 'calls', parts: number): number[] =>
    instructionsOf([...interpreted, ...process.execArgv, program, what], parts);
  const [ofJob = Number.NaN] = counted('chunk', 1);
  const [ofChunkCalls = Number.NaN, ofShardCalls = Number.NaN, ofLoop = Number.NaN] = counted('calls', 3);
  const caller = ofJob / countedChunks;
  const row = (name: string, instructions: number, share: string = percent(instructions / caller)): string =>
    `| ${name} | ${Math.round(instructions).toLocaleString('en-US')} | ${share} |`;
  console.log('\n| of one chunk, nobody listens | instructions | of its caller |\n| :-- | --: | --: |');
  console.log(row('the caller in all', caller, ''));
  console.log(row('calls of shoal.chunk', (ofChunkCalls - ofLoop) / calls));
  console.log(row('calls of shoal.shard', (ofShardCalls - ofLoop) / calls));
}

if (way === 'all') await print();
else console.log(await chunkCost(way));
