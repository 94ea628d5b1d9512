import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { connect } from 'shoal';
import { census, type FileCensus } from '../source-census/census.ts';
import { sourcePaths } from '../source-census/source-paths.ts';
import type { ClusterProcesses } from './cluster-processes.ts';
import { marker } from './leftovers.ts';
import { check, inSeconds, timed } from './stopwatch.ts';

/** So long one process may count, for the whole demo to fit into a coffee break; the cluster then does the same files. */
const sequentialMs = 6000;

/** Act three: real files, parsed, counted, hashed and compressed; one process against the cluster, byte for byte. */
export async function onRealInput(cluster: ClusterProcesses, root: string): Promise<void> {
  const all = spread(await sourcePaths(root));
  console.log(
    `\n${grouped(all.length)} JavaScript and TypeScript files below ${relative(process.cwd(), root) || root}`,
  );

  const expected: string[] = [];
  const sequential = await timed(async () => {
    const endsAt = performance.now() + sequentialMs;
    for (const path of all) {
      expected.push(JSON.stringify(census(path)));
      if (performance.now() > endsAt) break;
    }
  });
  const paths = all.slice(0, expected.length);
  const sample =
    paths.length === all.length
      ? 'all of them'
      : `a sample, as many as ${inSeconds(sequentialMs / 1000)} allow`;
  console.log(`  one process: ${rate(paths.length, sequential.seconds)} (${sample})`);

  const processes = availableParallelism();
  await using pool = await connect(cluster.address, {
    // More busy processes than CPUs would only stand in each other's way.
    processes,
    env: [marker],
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const found: string[] = [];
  const parallel = await timed(async () => {
    const results: AsyncIterable<FileCensus> = pool.imap(census, paths);
    for await (const file of results) found.push(JSON.stringify(file));
  });
  console.log(`  the cluster, ${processes} processes: ${rate(paths.length, parallel.seconds)}`);
  console.log(`  speed-up: ${(sequential.seconds / parallel.seconds).toFixed(2)} x`);
  check(
    found.length === expected.length && found.every((line, index) => line === expected[index]),
    `byte for byte the same, in the same order (sha256 ${digest(found)})`,
  );
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
