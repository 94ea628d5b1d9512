import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { connect } from 'shoal';
import { census, type FileCensus } from '../source-census/census.ts';
import { sourcePaths } from '../source-census/source-paths.ts';
import type { ClusterProcesses } from './cluster-processes.ts';
import { marker } from './leftovers.ts';
import { check, inSeconds, timed } from './stopwatch.ts';

/** So long one process may count, for the whole demo to fit into a coffee break; the cluster then does the same files. */
const sequentialMs = 4000;
/** So long it may count other files before: a process counts three times as fast once its code is compiled. */
const warmUpMs = 2500;

/** Act three: real files, parsed, counted, hashed and compressed; one process against the cluster, byte for byte. */
export async function onRealInput(cluster: ClusterProcesses, root: string): Promise<void> {
  const all = spread(await sourcePaths(root));
  console.log(
    `\n${grouped(all.length)} JavaScript and TypeScript files below ${relative(process.cwd(), root) || root}`,
  );

  const warmUp = countFor(warmUpMs, all);
  const rest = all.slice(warmUp.length);
  const cpuBefore = process.cpuUsage();
  const sequential = await timed(async () => countFor(sequentialMs, rest));
  const cpu = process.cpuUsage(cpuBefore);
  const expected = sequential.value;
  const paths = rest.slice(0, expected.length);
  const sample =
    paths.length === rest.length ? 'all of them' : `as many as ${inSeconds(sequentialMs / 1000)} allow`;
  console.log(`  one process: ${rate(paths.length, sequential.seconds)} (${sample})`);
  const share = (cpu.user + cpu.system) / 1e6 / sequential.seconds;
  if (share < 0.8) {
    console.log(`  (it got ${Math.round(100 * share)} % of a CPU: other programs keep this machine busy)`);
  }

  const processes = availableParallelism();
  await using pool = await connect(cluster.address, {
    // More busy processes than CPUs would only stand in each other's way.
    processes,
    env: [marker],
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  // One job, so that the processes that have warmed up are those that are timed. Nothing of the sample is handed out
  // before the last file of the warm-up is done.
  const warm = Promise.withResolvers<void>();
  async function* input(): AsyncGenerator<string> {
    yield* all.slice(0, warmUp.length);
    await warm.promise;
    yield* paths;
  }
  const results: AsyncIterator<FileCensus> = pool.imap(census, input());
  const take = async (count: number): Promise<string[]> => {
    const lines: string[] = [];
    while (lines.length < count) {
      const next = await results.next();
      if (next.done === true) break;
      lines.push(JSON.stringify(next.value));
    }
    return lines;
  };
  const warmedUp = await take(warmUp.length);
  const parallel = await timed(() => {
    warm.resolve();
    return take(paths.length);
  });
  const found = parallel.value;
  const few = processes === 1 ? '1 process' : `${processes} processes`;
  console.log(`  the cluster, ${few}: ${rate(paths.length, parallel.seconds)}`);
  console.log(
    `  speed-up: ${(sequential.seconds / parallel.seconds).toFixed(2)} x (both after a warm-up of ${grouped(warmUp.length)} other files)`,
  );
  check(
    isDeepStrictEqual([...warmedUp, ...found], [...warmUp, ...expected]),
    `byte for byte the same, in the same order (sha256 ${digest(found)})`,
  );
}

/** Counts file after file until the time is up; at least one. */
function countFor(ms: number, paths: readonly string[]): string[] {
  const lines: string[] = [];
  const endsAt = performance.now() + ms;
  for (const path of paths) {
    lines.push(JSON.stringify(census(path)));
    if (performance.now() > endsAt) break;
  }
  return lines;
}

/** The paths in an order that has nothing to do with their names, so that a sample is like the whole. */
function spread(paths: readonly string[]): string[] {
  const keyed = paths.map((path) => ({ path, key: createHash('sha1').update(path).digest('hex') }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ path }) => path);
}

const grouped = (count: number): string => count.toLocaleString('en-US');

const rate = (files: number, seconds: number): string =>
  `${grouped(files)} files in ${inSeconds(seconds)}, ${grouped(Math.round(files / seconds))} files/s`;

const digest = (lines: readonly string[]): string =>
  createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16);
