/**
 * What a client that stops costs the coordinator and everybody else (Linux):
 *
 *   node --conditions=@shoal/source test/bench/stopped-client.ts [--items 10000000] [--bytes 0] [--stopped-s 60]
 *
 * A client streams so many items through a cluster of processes, numbers or texts of `--bytes`; midway its process is
 * stopped (SIGSTOP) for so long, goes on, and has to get the rest. While it stands still another client runs the same job
 * again and again: by turns on that cluster and on a second one like it, where nobody is stopped. Both runs of a pair meet
 * the same machine, however busy it is, so the median of their ratios says what the stopped client costs.
 *
 * Exits with 1 if the coordinator ever had more than 200 MiB and what its windows held at most, if a result is missing or wrong,
 * if the other job lost more than 5 %, or if the input is so small that the client had it all when it was to stop. That is judged of ten pairs or more: of fewer the median says nothing.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ClusterProcesses } from '../../examples/demo/cluster-processes.ts';
import { optionsOf, positive, whole } from './options.ts';
import { cpuNanoseconds } from './process-cpu.ts';
import { median } from './statistics.ts';
import { HeldBytes } from './stopped-client/held-bytes.ts';
import { MemoryByPhase } from './stopped-client/memory-by-phase.ts';
import { stateOf } from './stopped-client/process-facts.ts';
import type { Ran, Run } from './stopped-client/steady-client.ts';
import type { Taken } from './stopped-client/streaming-client.ts';

const {
  items,
  bytes,
  'stopped-s': stoppedS,
} = optionsOf({ items: whole(10_000_000), bytes: whole(0, 0), 'stopped-s': positive(60) });
const MiB = 2 ** 20;
const allowedMiB = 200;
const leastRatio = 0.95;
const pairsJudged = 10;
/** Of one run of the steady job, about. */
const runMs = 1_500;
/** Streamed before anything is measured, at most. */
const warmUpItems = 1_000_000;

/** What a run of the steady job took: time, and CPU time of the coordinator. */
interface Paid {
  readonly ms: number;
  readonly cpuMs: number;
}

/** Beside the stopped client, and without it. */
type Pair = readonly [beside: Paid, without: Paid];

/** There is nothing that a client that stands still could hold up. */
class TooSmall extends Error {}

/** The clusters: with the client that stops, and without. */
const names = ['beside it', 'without it'] as const;
const clusters: ClusterProcesses[] = [];
const clients: ChildProcess[] = [];
const failed: string[] = [];

const start = (file: string, ...args: readonly string[]): ChildProcess => {
  const client = fork(fileURLToPath(new URL(`stopped-client/${file}`, import.meta.url)), args);
  clients.push(client);
  return client;
};

try {
  for (const _ of names) clusters.push(await ClusterProcesses.start(['agent-1', 'agent-2'], 1));
  const [crowded, empty] = clusters as [ClusterProcesses, ClusterProcesses];
  const pids = clusters.map(({ coordinatorPid }) => coordinatorPid as number);
  const memory = new MemoryByPhase(pids[0] as number);

  const steady = start('steady-client.ts', crowded.address, empty.address);
  await once(steady, 'message');
  const run = async (cluster: number, count: number): Promise<Paid> => {
    const before = cpuNanoseconds(pids[cluster] as number);
    steady.send({ cluster, items: count } satisfies Run);
    const [{ ms }] = (await once(steady, 'message')) as [Ran];
    return { ms, cpuMs: (cpuNanoseconds(pids[cluster] as number) - before) / 1e6 };
  };
  let steadyItems = 20_000;
  for (const cluster of [0, 1, 0, 1]) {
    const { ms } = await run(cluster, steadyItems);
    steadyItems = Math.max(1_000, Math.min(1_000_000, Math.round((steadyItems * runMs) / Math.max(1, ms))));
  }

  // Code that has run much runs faster: the second cluster must not be the colder one.
  await streamOf(empty.address, Math.min(items / 2, warmUpItems)).done;
  await using held = await HeldBytes.of(crowded.address);
  await held.paused();
  memory.enter('streaming');
  const settledBefore = held.settled;
  const { client: stream, done } = streamOf(crowded.address, items);
  await Promise.race([taken(stream, items / 2), done]);
  stream.kill('SIGSTOP');
  const stoppedAt = performance.now();
  memory.enter('the client is stopped');
  // One that has ended never stands still.
  while (stream.exitCode === null && stream.signalCode === null && stateOf(stream.pid) !== 'T')
    await sleep(5);
  await held.paused();
  // It all fitted into the windows between.
  if (held.settled - settledBefore >= items) {
    memory.stop();
    throw new TooSmall(
      `${items.toLocaleString('en')} items are too few: all were done before the client stood still. Give more --items or --bytes.`,
    );
  }

  const pairs: Pair[] = [];
  while (performance.now() - stoppedAt < stoppedS * 1_000 - (pairs.length === 0 ? 0 : runMs)) {
    const order = pairs.length % 2 === 0 ? [0, 1] : [1, 0];
    const paid: Paid[] = [];
    for (const cluster of order) paid[cluster] = await run(cluster, steadyItems);
    pairs.push(paid as [Paid, Paid]);
  }
  await sleep(Math.max(0, stoppedAt + stoppedS * 1_000 - performance.now()));
  if (stateOf(stream.pid) !== 'T') failed.push('The client did not stand still all the time.');
  const stoodS = (performance.now() - stoppedAt) / 1_000;

  memory.enter('streaming again');
  stream.kill('SIGCONT');
  const { amiss } = await done;
  if (amiss !== 0) failed.push(`The results of the stream are wrong: their sum is off by ${amiss}.`);
  const mostMiB = memory.stop();

  const kind = bytes === 0 ? 'numbers' : `texts of ${bytes.toLocaleString('en')} bytes`;
  console.log(`${items.toLocaleString('en')} ${kind}; the client stood still for ${stoodS.toFixed(0)} s.\n`);
  console.log('| the coordinator while     | MiB at most |');
  console.log('| :---                      |        ---: |');
  for (const [phase, most] of memory.phases) {
    console.log(`| ${phase.padEnd(25)} | ${most.toFixed(0).padStart(11)} |`);
  }
  const heldMiB = held.most / MiB;
  console.log(
    `\nAt its highest it had ${mostMiB.toFixed(0)} MiB, of ${allowedMiB} and the ${heldMiB.toFixed(0)} that its windows held at most.`,
  );
  if (mostMiB > allowedMiB + heldMiB) failed.push('The coordinator took more memory than it may.');

  const ratios = pairs.map(([beside, without]) => without.ms / beside.ms);
  const cost = (cluster: 0 | 1): string => {
    const cpuMs = pairs.reduce((sum, pair) => sum + pair[cluster].cpuMs, 0);
    const perMillion = (cpuMs * 1e6) / (steadyItems * pairs.length);
    return `${Math.round(perMillion).toLocaleString('en')} ms ${names[cluster]}`;
  };
  const [lowest, ratio, highest] = [Math.min(...ratios), median(ratios), Math.max(...ratios)];
  console.log(
    `\nAnother job, ${pairs.length} pairs of runs of ${steadyItems.toLocaleString('en')} items beside the stopped client and without it: ` +
      `${(ratio * 100).toFixed(1)} % of the speed (${(lowest * 100).toFixed(0)} to ${(highest * 100).toFixed(0)}).`,
  );
  console.log(`CPU time of the coordinator for a million of them: ${cost(0)}, ${cost(1)}.`);
  if (pairs.length >= pairsJudged && ratio < leastRatio) failed.push('The other job lost more than 5 %.');
  else if (pairs.length < pairsJudged) console.log(`(Not judged: fewer than ${pairsJudged} pairs.)`);
} catch (error) {
  if (!(error instanceof TooSmall)) throw error;
  failed.push(error.message);
} finally {
  for (const client of clients) client.kill('SIGKILL');
  await Promise.all(clusters.map((cluster) => cluster.stop()));
}

for (const reason of failed) console.error(reason);
process.exitCode = failed.length > 0 ? 1 : 0;

/** A client with a stream of so many items, and what it has to say at its end. */
function streamOf(address: string, count: number): { client: ChildProcess; done: Promise<Taken> } {
  const client = start('streaming-client.ts', address, String(count), String(bytes));
  const done = new Promise<Taken>((resolve, reject) => {
    client.on('message', (told: Taken) => {
      if (told.taken === count) resolve(told);
    });
    client.once('exit', (code) => reject(new Error(`The streaming client has ended with ${code}.`)));
  });
  done.catch(() => {});
  return { client, done };
}

/** Resolves when the stream has got so far. */
function taken(stream: ChildProcess, count: number): Promise<void> {
  return new Promise((resolve) => {
    stream.on('message', (told: Taken) => {
      if (told.taken >= count) resolve();
    });
  });
}
