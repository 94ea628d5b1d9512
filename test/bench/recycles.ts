/**
 * What is left after many recycles (Linux): `npm run build && node test/bench/recycles.ts [--recycles 10000] [--samples 10] [--start-children fork]`.
 *
 * A fresh process for every task, thousands of times over, in one pool. After each tenth it waits until the pool is at rest
 * and counts: open descriptors, processes that are ours and zombies among them, listeners, handles and memory of this
 * process. No two of these processes may have drawn the same number, integer or UUID. Exits with 1 if anything has grown, or
 * is alike.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Pool } from 'shoal';

const { values } = parseArgs({
  options: {
    recycles: { type: 'string', default: '10000' },
    samples: { type: 'string', default: '10' },
    'start-children': { type: 'string', default: 'spawn' },
  },
});
const recycles = Number(values.recycles);
const samples = Number(values.samples);

interface Census {
  readonly descriptors: number;
  readonly processes: number;
  readonly zombies: number;
  readonly listeners: number;
  readonly handles: number;
  readonly rssMiB: number;
}

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
  return {
    // The folder itself is open while it is read.
    descriptors: readdirSync('/proc/self/fd').length - 1,
    processes: ours.length,
    zombies,
    listeners,
    handles: process.getActiveResourcesInfo().length,
    rssMiB: Math.round(process.memoryUsage.rss() / 1_048_576),
  };
}

/** The states of the processes that a process has started, and of those that they have started: a fork server's children. */
function familyOf(pid: number): string[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    return children.flatMap((child) => {
      const stat = readFileSync(`/proc/${child}/stat`, 'utf8');
      return [stat.charAt(stat.lastIndexOf(')') + 2), ...familyOf(Number(child))];
    });
  } catch {
    // One of them has just gone.
    return [];
  }
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
  return before;
}

const row = (cells: readonly (string | number)[]): string =>
  `| ${cells.map((cell) => String(cell).padStart(11)).join(' | ')} |`;

const columns = ['descriptors', 'processes', 'zombies', 'listeners', 'handles', 'rssMiB'] as const;
const startChildren = values['start-children'] as 'spawn' | 'fork';
const pool = new Pool({ processes: 2, maxTasksPerChild: 1, startChildren });
const pids = new Set<number>();
const count = Math.ceil(recycles / samples);
/** What is kept here is not to be taken for a leak: all of it is taken at once. */
const drawn = new Float64Array(3 * count * samples).fill(-1);
let tasks = 0;
const seen: Census[] = [];
const startedAt = performance.now();
console.log(row(['recycles', ...columns]));
console.log(row(['---:', ...columns.map(() => '---:')]));
for (let sample = 0; sample < samples; sample++) {
  const items = Array.from({ length: count }, (_, at) => at);
  const identity = () => ({
    pid: process.pid,
    random: Math.random(),
    integer: process.getBuiltinModule('node:crypto').randomInt(2 ** 48 - 1),
    uuid: crypto.randomUUID(),
  });
  for (const { pid, random, integer, uuid } of await pool.map(identity, items)) {
    pids.add(pid);
    const ofUuid = Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16);
    drawn.set([random, integer, ofUuid], 3 * tasks);
    tasks += 1;
  }
  const now = await atRest();
  seen.push(now);
  console.log(row([pool.stats().recycled, ...columns.map((column) => now[column])]));
}
const { recycled, deaths, starts } = pool.stats();
await pool.terminate();
const afterwards = await atRest();
console.log(row(['terminated', ...columns.map((column) => afterwards[column])]));
const seconds = (performance.now() - startedAt) / 1000;
console.log(
  `\n${recycled} recycles in ${seconds.toFixed(0)} s, ${pids.size} different pids, ${deaths} children died unasked`,
);
console.log(`${starts.spawned} spawned, ${starts.forked} forked, ${starts.notForked ?? 'as asked'}`);

const [first, last] = [seen[0], seen.at(-1)];
const grown = columns.filter((column) => {
  // Memory is only known roughly: garbage is collected when it is, and code is compiled meanwhile.
  const slack = column === 'rssMiB' ? 30 : 0;
  return (last?.[column] ?? 0) > (first?.[column] ?? 0) + slack;
});
// The reaper, a shell that ends what we start if we die, goes with this process.
const isLeft = afterwards.processes > 1 || afterwards.zombies > 0 || seen.some(({ zombies }) => zombies > 0);
if (grown.length > 0) console.log(`Grown: ${grown.join(', ')}`);
if (isLeft) console.log('Processes are left.');
const different = new Set(drawn.subarray(0, 3 * tasks)).size;
const isAlike = different < 3 * tasks;
console.log(`Of ${3 * tasks} numbers that were drawn ${different} differ.`);
if (grown.length === 0 && !isLeft && !isAlike) console.log('Nothing is left behind.');
process.exitCode = grown.length > 0 || isLeft || isAlike || recycled < recycles - 4 ? 1 : 0;
