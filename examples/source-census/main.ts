import { parseArgs } from 'node:util';
import { connect, type MapPool, Pool } from 'shoal';
import { census } from './census.ts';
import { sourcePaths } from './source-paths.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { limit: { type: 'string' } },
});
const root = positionals[0] ?? 'node_modules';
const limit = values.limit === undefined ? undefined : Number(values.limit);

// stripTypeScriptTypes calls itself experimental once in each process; that is no news for whoever counts files.
const quiet = { execArgv: ['--disable-warning=ExperimentalWarning'] };
const address = process.env['SHOAL_ADDRESS'];
await using pool: MapPool =
  address === undefined || address === ''
    ? new Pool(quiet)
    : await connect(address, { ...quiet, insecure: true });

const paths = (await sourcePaths(root)).slice(0, limit);
const kinds = new Map<string, number>();
let unparsable = 0;
let bytes = 0;
let gzipBytes = 0;
const startedAt = performance.now();
for await (const file of pool.imap(census, paths)) {
  bytes += file.bytes;
  gzipBytes += file.gzipBytes;
  if (file.nodes === undefined) unparsable += 1;
  for (const [kind, count] of Object.entries(file.nodes ?? {}))
    kinds.set(kind, (kinds.get(kind) ?? 0) + count);
}
const seconds = (performance.now() - startedAt) / 1000;

const megabytes = (size: number): string => `${(size / 1e6).toFixed(1)} MB`;
console.log(
  `${paths.length} files, ${megabytes(bytes)}, ${megabytes(gzipBytes)} compressed; ${unparsable} do not parse.`,
);
console.log(`${seconds.toFixed(1)} s, ${Math.round(paths.length / seconds)} files/s.`);
console.log('Most frequent kinds of syntax nodes:');
for (const [kind, count] of [...kinds].sort(([, a], [, b]) => b - a).slice(0, 5))
  console.log(`  ${count} ${kind}`);
