/**
 * What is left after many recycles (Linux): `npm run build && node test/bench/recycles.ts [--recycles 10000] [--samples 10] [--start-children fork [--preload]]`.
 *
 * A fresh process for every task, thousands of times over, in one pool. After each tenth it waits until the pool is at rest
 * and counts: open descriptors, processes that are ours and zombies among them, listeners, handles and memory of this
 * process; descriptors and memory of its fork server. No two of these processes may have drawn the same number, integer or
 * UUID, and no two of a tenth may have been given the same temporary folder: they stay until it is over, for the name of one
 * that is gone may come again (glibc makes it out of the clock first). Exits with 1 if anything has grown, or is alike, or if a
 * process was not started as asked. What it
 * prints can be shown as it is.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Pool } from 'shoal';
import type { Identity } from './identity.ts';
import { load, machineNow } from './machine.ts';
import { flag, oneOf, optionsOf, whole } from './options.ts';

const {
  recycles,
  samples,
  'start-children': startChildren,
  preload,
} = optionsOf({
  recycles: whole(10_000),
  samples: whole(10),
  'start-children': oneOf(['spawn', 'fork'], 'spawn'),
  preload: flag,
});

interface Census {
  readonly descriptors: number;
  readonly processes: number;
  readonly zombies: number;
  readonly listeners: number;
  readonly handles: number;
  readonly rssMiB: number;
  /** Objects and buffers that are no garbage. */
  readonly liveMiB: number;
  /** Of its fork server; 0 where there is none. */
  readonly serverFds: number;
  readonly serverMiB: number;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const mib = (bytes: number): number => Math.round(bytes / 1_048_576);

/** Emitters that live as long as this process, on which a pool could leave listeners. */
const emitters = [process, process.stdin, process.stdout, process.stderr];

function census(): Census {
  const ours = familyOf(process.pid);
  const zombies = ours.filter((state) => state === 'Z').length;
  const listeners = emitters.reduce(
    (sum, emitter) =>
      sum + emitter.eventNames().reduce((count, event) => count + emitter.listenerCount(event), 0),
    0,
  );
  const { external, heapUsed, rss } = process.memoryUsage();
  return {
    // The folder itself is open while it is read.
    descriptors: readdirSync('/proc/self/fd').length - 1,
    processes: ours.length,
    zombies,
    listeners,
    handles: process.getActiveResourcesInfo().length,
    rssMiB: mib(rss),
    liveMiB: mib(heapUsed + external),
    ...serverCensus(),
  };
}

function serverCensus(): Pick<Census, 'serverFds' | 'serverMiB'> {
  const server = childrenOf(process.pid).find((child) =>
    read(`/proc/${child}/cmdline`).includes('fork-main'),
  );
  if (server === undefined) return { serverFds: 0, serverMiB: 0 };
  const kiB = Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${server}/status`))?.[1] ?? 0);
  return { serverFds: readdirSync(`/proc/${server}/fd`).length, serverMiB: mib(kiB * 1_024) };
}

const childrenOf = (pid: number): string[] =>
  read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean);

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It has just gone.
    return '';
  }
}

/** The states of the processes that a process has started, and of those that they have started: a fork server's children. */
function familyOf(pid: number): string[] {
  return childrenOf(pid).flatMap((child) => {
    const stat = read(`/proc/${child}/stat`);
    return stat === '' ? [] : [stat.charAt(stat.lastIndexOf(')') + 2), ...familyOf(Number(child))];
  });
}

/** What is counted once it no longer changes: the last child may be on its way out, its successor on its way in. */
async function atRest(): Promise<Census> {
  let before = census();
  for (let same = 0; same < 5; ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const now = census();
    const isSame = now.descriptors === before.descriptors && now.processes === before.processes;
    same = isSame ? same + 1 : 0;
    before = now;
  }
  collect();
  return census();
}

const row = (cells: readonly (string | number)[]): string =>
  `| ${cells.map((cell) => String(cell).padStart(11)).join(' | ')} |`;

const columns = [
  'descriptors',
  'processes',
  'zombies',
  'listeners',
  'handles',
  'rssMiB',
  'liveMiB',
  'serverFds',
  'serverMiB',
] as const;
/** What each of them draws. */
const draws = ['numbers', 'integers', 'UUIDs'] as const;

const options = `--recycles ${recycles} --start-children ${startChildren}${preload ? ' --preload' : ''}`;
console.log(`node ${[...process.execArgv, 'test/bench/recycles.ts', options].join(' ')}`);
const begun = machineNow({ processes: 2, runs: 1, small: false, loadBefore: load() });
console.log(`${begun.cpu}, ${begun.cpus} CPUs, Node ${begun.node}, 2 processes`);
console.log(`begun ${begun.date}, commit ${begun.commit}, load ${begun.loadBefore}\n`);

const pool = new Pool({
  processes: 2,
  maxTasksPerChild: 1,
  startChildren,
  ...(preload ? { preload } : {}),
});
const identity = new URL('identity.ts', import.meta.url);
const pids = new Set<number>();
const count = Math.ceil(recycles / samples);
/** What is kept here is not to be taken for a leak: all of it is taken at once. */
const drawn = draws.map(() => new Float64Array(count * samples).fill(-1));
let tasks = 0;
let folders = 0;
const seen: Census[] = [];
const startedAt = performance.now();
console.log(row(['recycles', ...columns]));
console.log(row(['---:', ...columns.map(() => '---:')]));
for (let sample = 0; sample < samples; sample++) {
  const base = mkdtempSync(join(tmpdir(), 'shoal-recycles-'));
  const names = new Set<string>();
  const starts = Array<string>(count).fill(join(base, 'of-child-'));
  for (const { pid, random, integer, uuid, folder } of await pool.map<Identity>(identity, starts, {
    export: 'identity',
  })) {
    pids.add(pid);
    names.add(folder);
    const ofUuid = Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
    for (const [draw, value] of [random, integer, ofUuid].entries()) {
      (drawn[draw] as Float64Array)[tasks] = value;
    }
    tasks += 1;
  }
  folders += names.size;
  rmSync(base, { recursive: true });
  const now = await atRest();
  seen.push(now);
  console.log(row([pool.stats().recycled, ...columns.map((column) => now[column])]));
}
const { recycled, deaths, starts } = pool.stats();
await pool.terminate();
const afterwards = await atRest();
console.log(row(['terminated', ...columns.map((column) => afterwards[column])]));
const seconds = (performance.now() - startedAt) / 1000;
const ended = machineNow({ processes: 2, runs: 1, small: false, loadBefore: begun.loadBefore });
console.log(`\nended ${ended.date}, commit ${ended.commit}, load ${ended.loadAfter}`);
console.log(
  `${recycled} recycles in ${seconds.toFixed(0)} s, ${pids.size} different pids, ${deaths} children died unasked`,
);
console.log(`${starts.spawned} spawned, ${starts.forked} forked, ${starts.notForked ?? 'as asked'}`);

const [first, last] = [seen[0], seen.at(-1)];
const grown = columns.filter((column) => {
  // Code is compiled meanwhile; and the room for young objects doubles several times before it is large enough, each time by
  // what is three times as much memory.
  const slack = { rssMiB: 150, liveMiB: 5, serverMiB: 5 }[column as string] ?? 0;
  return (last?.[column] ?? 0) > (first?.[column] ?? 0) + slack;
});
// Of the last ones some may have been started ahead, and never run.
const isOtherwise =
  startChildren === 'fork' ? starts.forked < recycled || starts.spawned > 0 : starts.forked > 0;
if (isOtherwise) console.log(`Children were not started as asked (--start-children ${startChildren}).`);
// The reaper, a shell that ends what we start if we die, goes with this process.
const isLeft = afterwards.processes > 1 || afterwards.zombies > 0 || seen.some(({ zombies }) => zombies > 0);
if (grown.length > 0) console.log(`Grown: ${grown.join(', ')}`);
if (isLeft) console.log('Processes are left.');
let isAlike = folders < tasks;
for (const [draw, what] of draws.entries()) {
  const different = new Set(drawn[draw]?.subarray(0, tasks)).size;
  if (different < tasks) isAlike = true;
  console.log(`Of ${tasks} ${what} ${different} differ.`);
}
console.log(`Of ${tasks} temporary folders ${folders} were new.`);
if (grown.length === 0 && !isLeft && !isAlike && !isOtherwise) console.log('Nothing is left behind.');
process.exitCode = grown.length > 0 || isLeft || isAlike || isOtherwise || recycled < recycles - 4 ? 1 : 0;
