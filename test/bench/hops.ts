/**
 * Where an item's CPU time goes, hop by hop (Linux): `npm run build && node test/bench/hops.ts [--only NAME,…] [--scale 1]`.
 *
 * A coordinator, two agents of one process and a client, as `npm run bench` has them, and a local pool of two. Counted
 * is the time that each process ran, by the kernel's own count: others who use the machine meanwhile change it little.
 * With `node --cpu-prof --cpu-prof-dir=DIR` it, the coordinator and the agents write CPU profiles there when they end, and
 * children after the last map, for any viewer of `.cpuprofile` files.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { MapPool } from 'shoal';
import { connect, Pool } from 'shoal';
import { ClusterProcesses } from '../../examples/demo/cluster-processes.ts';
import { roundsAMillisecond } from './calibration.ts';
import { fingerprintOf, itemsOf, type TaskName } from './items.ts';
import { optionsOf, positive, someOf } from './options.ts';
import { tasksUrl } from './peer.ts';
import { childrenOf, cpuNanoseconds } from './process-cpu.ts';
import { tasks } from './tasks.js';

interface Workload {
  readonly name: string;
  readonly title: string;
  readonly task: TaskName;
  readonly items: number;
  readonly chunkSize: number | 'auto';
  /** Without gRPC. */
  readonly isLocal: boolean;
}

const workloads: readonly Workload[] = [
  cluster('single', 'x + 1, one item a chunk', 'increment', 8_000, 1),
  cluster('increment', 'x + 1', 'increment', 2_000_000, 'auto'),
  cluster('records', 'small records', 'rescore', 200_000, 'auto'),
  cluster('echo', 'echo of 10 KiB', 'echo', 10_000, 'auto'),
  cluster('millisecond', '1 ms of SHA-256', 'hash', 2_000, 'auto'),
  local('local-single', 'x + 1, one item a chunk', 'increment', 8_000, 1),
  local('local-increment', 'x + 1', 'increment', 2_000_000, 'auto'),
  local('local-records', 'small records', 'rescore', 200_000, 'auto'),
  local('local-echo', 'echo of 10 KiB', 'echo', 10_000, 'auto'),
];

function cluster(
  name: string,
  title: string,
  task: TaskName,
  items: number,
  chunkSize: number | 'auto',
): Workload {
  return { name, title: `cluster, ${title}`, task, items, chunkSize, isLocal: false };
}

function local(...given: Parameters<typeof cluster>): Workload {
  return { ...cluster(...given), title: `local, ${given[1]}`, isLocal: true };
}

/** Processes of one kind. */
type Hops = Readonly<Record<string, () => readonly number[]>>;

const agentNames = ['agent-1', 'agent-2'];

const { only: chosen, scale } = optionsOf({
  only: someOf(workloads.map(({ name }) => name)),
  scale: positive(1),
});

/** Where profiles go, if anybody has asked for them. */
const profileFlag = '--cpu-prof-dir=';
const profileFolder = process.execArgv.find((arg) => arg.startsWith(profileFlag))?.slice(profileFlag.length);
const moduleUrl = profileFolder === undefined ? tasksUrl : new URL('profiled-tasks.ts', import.meta.url);
const profileTriesMax = 100;

/** Until each child has written its profile: nobody chooses the child that a call goes to. */
async function writeProfiles(pool: MapPool, folder: string): Promise<void> {
  const to = resolve(folder);
  mkdirSync(to, { recursive: true });
  const written = (): number => readdirSync(to).filter((name) => name.startsWith('child-')).length;
  const wanted = written() + agentNames.length;
  for (let tried = 0; written() < wanted; tried += 1) {
    if (tried === profileTriesMax)
      throw new Error(`${wanted - written()} children wrote no profile to ${to}`);
    const calls = agentNames.map(() => to);
    await pool.map(moduleUrl, calls, { export: 'writeProfile', chunkSize: 1 });
  }
}

/** Microseconds of CPU an item, of each kind of process; the first map is not counted. */
async function measure(pool: MapPool, workload: Workload, hops: Hops): Promise<Record<string, number>> {
  const { task, chunkSize } = workload;
  const rounds = task === 'hash' ? roundsAMillisecond() : 1;
  const items = itemsOf(task, Math.ceil(workload.items * scale), rounds);
  const options = { export: task, chunkSize };
  const run = (part: readonly unknown[]): Promise<unknown[]> => pool.map(moduleUrl, part, options);
  await run(items.slice(0, Math.ceil(items.length / 2)));
  const before = cpuOf(hops);
  const results = await run(items);
  const after = cpuOf(hops);
  if (profileFolder !== undefined) await writeProfiles(pool, profileFolder);
  const expected = items.map((item) => (tasks[task] as (item: unknown) => unknown)(item));
  if (fingerprintOf(results) !== fingerprintOf(expected)) throw new Error(`${workload.name}: wrong results`);
  return Object.fromEntries(
    Object.keys(hops).map((hop) => [hop, ((after[hop] ?? 0) - (before[hop] ?? 0)) / 1_000 / items.length]),
  );
}

function cpuOf(hops: Hops): Record<string, number> {
  const sum = (pids: readonly number[]): number =>
    pids.reduce((total, pid) => total + cpuNanoseconds(pid), 0);
  return Object.fromEntries(Object.entries(hops).map(([hop, pids]) => [hop, sum(pids())]));
}

async function onCluster(workload: Workload): Promise<Record<string, number>> {
  const started = await ClusterProcesses.start(agentNames, 1);
  try {
    await using pool = await connect(started.address);
    const agents = agentNames.flatMap((name) => started.pidOf(name) ?? []);
    return await measure(pool, workload, {
      client: () => [process.pid],
      coordinator: () => (started.coordinatorPid === undefined ? [] : [started.coordinatorPid]),
      agents: () => agents,
      children: () => agents.flatMap(childrenOf),
    });
  } finally {
    await started.stop();
  }
}

async function onLocalPool(workload: Workload): Promise<Record<string, number>> {
  await using pool = new Pool({ processes: agentNames.length });
  return await measure(pool, workload, {
    client: () => [process.pid],
    children: () => childrenOf(process.pid),
  });
}

const columns = ['client', 'coordinator', 'agents', 'children'];
const cell = (value: number | undefined): string =>
  value === undefined ? '' : Number(value.toPrecision(3)).toString();
console.log(`| CPU, µs an item | ${columns.join(' | ')} | in all |`);
console.log(`| :-- | ${columns.map(() => '--:').join(' | ')} | --: |`);
for (const workload of workloads.filter(({ name }) => chosen.includes(name))) {
  const cost = await (workload.isLocal ? onLocalPool(workload) : onCluster(workload));
  const all = Object.values(cost).reduce((sum, each) => sum + each, 0);
  console.log(`| ${workload.title} | ${columns.map((hop) => cell(cost[hop])).join(' | ')} | ${cell(all)} |`);
}
