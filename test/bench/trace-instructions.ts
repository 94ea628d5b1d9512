/**
 * Counts, within valgrind, what traces take while nobody listens: `trace-instructions.ts chunk` the jobs of a local pool with
 * one item a chunk, in their caller; `calls` what a chunk calls of `shoal.chunk`, the same of `shoal.shard`, and the loop
 * around either. `trace-cost.ts` starts both.
 */
import { Pool } from 'shoal';
import { ShardTraces } from '../../apps/coordinator/src/watch/shard-trace.ts';
import { ChunkTraces } from '../../libs/pool/src/child-pool/chunk-trace.ts';
import { countInstructions, prepareCounting } from './callgrind.ts';
import { tasksUrl } from './peer.ts';

/** What is counted of each. */
export const [chunks, calls] = [500, 10_000];

/**
 * V8's interpreter alone: how much its compilers do, and when, differs by more than what is looked for. It makes JavaScript
 * dearer, of which traces are all and a chunk is a part: their share is rather too large than too small.
 */
export const interpreted = ['--no-opt', '--no-maglev', '--no-sparkplug'] as const;

/** What a chunk of one item calls. */
function chunkCalls(traces: ChunkTraces, count: number): void {
  const [request, run, ending] = [{}, { bytes: new Uint8Array(1), runMs: 1 }, { kind: 'finished' }];
  for (let id = 0; id < count; id += 1) {
    traces.queued(request as never);
    traces.given(id as never);
    traces.succeeded(id as never, run as never);
    traces.ended(id as never, ending as never);
  }
}

/** The same of a shard, in the coordinator. */
function shardCalls(traces: ShardTraces, count: number): void {
  const [dispatch, blocks, ending] = [{}, [{ keptAtMs: 1 }], { kind: 'finished' }];
  for (let id = 0; id < count; id += 1) {
    traces.dispatched(dispatch as never, blocks as never);
    traces.succeeded(id as never, 1, 1);
    traces.ended(id as never, ending as never);
  }
}

function emptyLoop(count: number): number {
  let id = 0;
  while (id < count) id += 1;
  return id;
}

async function countCalls(): Promise<void> {
  const [chunkTraces, shardTraces] = [new ChunkTraces(), new ShardTraces()];
  const loops = [
    (count: number) => chunkCalls(chunkTraces, count),
    (count: number) => shardCalls(shardTraces, count),
    emptyLoop,
  ];
  prepareCounting();
  for (const loop of loops) loop(1_000);
  for (const loop of loops) await countInstructions(() => loop(calls));
}

async function countChunks(): Promise<void> {
  await using pool = new Pool({ processes: 1 });
  const items = Array.from({ length: chunks }, (_, index) => index);
  const job = (): Promise<unknown> => pool.map(tasksUrl, items, { export: 'increment', chunkSize: 1 });
  prepareCounting();
  await job();
  await countInstructions(job);
}

if (process.argv[1] === import.meta.filename)
  await (process.argv[2] === 'calls' ? countCalls() : countChunks());
