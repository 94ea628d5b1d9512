// Measures one point in processes of its own: `node measure-point.ts POINT`. Prints one line of JSON, the CPU time that an
// item took in all of its processes together: caller, coordinator, agents, children.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { connect, type MapPool, Pool } from 'shoal';
import { ClusterProcesses } from '../../../examples/demo/cluster-processes.ts';
import { tasksUrl } from '../peer.ts';
import { treeCpuMs } from '../process-tree.ts';
import type { Point } from './axis.ts';

const { place, items, jobs, atOnce, agents, chunkSize, warmUp } = JSON.parse(process.argv[2] ?? '') as Point;
const options = { export: 'increment', ...(chunkSize === undefined ? {} : { chunkSize }) };

interface Running {
  readonly pool: MapPool;
  stop(): Promise<void>;
}

async function startLocal(): Promise<Running> {
  const pool = new Pool({ processes: agents });
  return { pool, stop: () => pool.terminate() };
}

async function startCluster(): Promise<Running> {
  const cluster = await ClusterProcesses.start([], 1);
  const host = fileURLToPath(new URL('agents.ts', import.meta.url));
  const args = [...process.execArgv, host, cluster.address, String(agents)];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const pool = await connect(cluster.address);
  const stop = async (): Promise<void> => {
    await pool.terminate();
    const ended = once(child, 'exit');
    child.stdin.end();
    await ended;
    await cluster.stop();
  };
  return { pool, stop };
}

function* numbers(count: number): Generator<number> {
  for (let index = 0; index < count; index += 1) yield index;
}

/** A stream, for ten million results would not be a small list. */
async function runJob(pool: MapPool, count: number): Promise<void> {
  let next = 0;
  for await (const result of pool.imap(tasksUrl, numbers(count), options)) {
    next += 1;
    if (result !== next) throw new Error(`${result} where ${next} was due`);
  }
  if (next !== count) throw new Error(`${next} results of ${count}`);
}

async function runJobs(pool: MapPool, work: Pick<Point, 'items' | 'jobs'>): Promise<void> {
  let left = work.jobs;
  const oneAfterAnother = async (): Promise<void> => {
    for (; left > 0; ) {
      left -= 1;
      await runJob(pool, work.items);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, work.jobs) }, oneAfterAnother));
}

const { pool, stop } = place === 'local' ? await startLocal() : await startCluster();
// Every child has loaded the task, and the code is compiled.
await runJobs(pool, warmUp);
const before = treeCpuMs();
await runJobs(pool, { items, jobs });
const value = ((treeCpuMs() - before) * 1_000) / (items * jobs);
process.stdout.write(`${JSON.stringify({ value, digest: '' })}\n`);
await stop();
