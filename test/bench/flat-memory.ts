/**
 * What ten million items cost in memory (Linux): `npm run build && node --expose-gc test/bench/flat-memory.ts [--items 10000000]`.
 *
 * A stream of numbers through two children, twice: with V8 as it comes, and with children that may have 64 MiB of old
 * objects and 1 MiB of young ones. At each tenth: resident memory, and what of it is alive after a collection. Exits with 1
 * if what is alive grows: if the least of the last three tenths is more than the least of the second, third and fourth.
 */
import { Pool } from 'shoal';
import { optionsOf, whole } from './options.ts';

const { items } = optionsOf({ items: whole(10_000_000, 20) });
const tenth = Math.ceil(items / 10);
const processes = 2;

interface Memory {
  readonly rssMiB: number;
  /** Objects and buffers that are alive. */
  readonly liveMiB: number;
  /** What V8 has set aside for young objects, used or not. */
  readonly youngMiB: number;
}

/** Adds one; every `every`-th call of a child says what its memory is like. */
const addOne = ({ n, every }: { n: number; every: number }): number | Memory => {
  const counted = globalThis as { calls?: number; gc?: () => void };
  counted.calls = (counted.calls ?? 0) + 1;
  if (counted.calls % every !== 0) return n + 1;
  const rss = process.memoryUsage.rss();
  counted.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  const spaces = process.getBuiltinModule('node:v8').getHeapSpaceStatistics();
  const young = spaces.find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
  const mib = (bytes: number): number => Math.round(bytes / 1_048_576);
  return { rssMiB: mib(rss), liveMiB: mib(heapUsed + external), youngMiB: mib(young) };
};

function* input(): Generator<{ n: number; every: number }> {
  const every = Math.floor(tenth / processes);
  for (let n = 0; n < items; n++) yield { n, every };
}

const cell = (value: string | number, width: number): string => String(value).padStart(width);
let grew = false;

async function run(title: string, execArgv: readonly string[]): Promise<void> {
  console.log(`\n${title}\n`);
  console.log('| items      | caller MiB | alive | child MiB | alive | young generation |');
  console.log('| ---:       |       ---: |  ---: |      ---: |  ---: |             ---: |');
  await using pool = new Pool({ processes, execArgv: ['--expose-gc', ...execArgv] });
  const startedAt = performance.now();
  let [seen, sum] = [0, 0];
  let told: Memory | undefined;
  const alive: number[] = [];
  for await (const result of pool.imap(addOne, input())) {
    seen += 1;
    if (typeof result === 'number') sum += result - seen;
    else told = result;
    if (seen % tenth !== 0) continue;
    const own = addOne({ n: 0, every: 1 }) as Memory;
    const { rssMiB = 0, liveMiB = 0, youngMiB = 0 } = told ?? {};
    alive.push(liveMiB);
    const cells = [cell(seen.toLocaleString('en'), 10), cell(own.rssMiB, 10), cell(own.liveMiB, 5)];
    cells.push(cell(rssMiB, 9), cell(liveMiB, 5), cell(youngMiB, 16));
    console.log(`| ${cells.join(' | ')} |`);
  }
  if (seen !== items || sum !== 0) throw new Error(`${seen} results, and their sum is off by ${sum}`);
  // What was under way when a child looked is alive too, and on a busy machine that may be much: what stays is in the least.
  const growthMiB = Math.min(...alive.slice(-3)) - Math.min(...alive.slice(1, 4));
  // The blocks that a child keeps are 8 MiB at most, and fewer at one time than at another.
  if (growthMiB > 16) grew = true;
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(
    `\n${seconds.toFixed(1)} s; alive in a child since the second tenth: ${growthMiB >= 0 ? '+' : ''}${growthMiB} MiB`,
  );
}

await run('V8 as it comes', []);
await run('--max-old-space-size=64 --max-semi-space-size=1', [
  '--max-old-space-size=64',
  '--max-semi-space-size=1',
]);
process.exitCode = grew ? 1 : 0;
