/**
 * Two versions by hop, in turn: `node test/bench/hops-beside.ts DIR [--only single,increment,echo] [--rounds 3]`.
 *
 * DIR is another clone of this repository at another commit, installed and built. Each version runs its own hops.ts;
 * printed are the medians of each cell, of the other version and of this one.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commitOf } from './commit.ts';
import { optionsAndFolderOf, positive, someOf, whole } from './options.ts';
import { median } from './statistics.ts';
import { tableRows } from './table-rows.ts';

const {
  values: { only, rounds, scale },
  folder: other,
} = optionsAndFolderOf(
  {
    only: someOf(['single', 'increment', 'echo', 'millisecond'], ['single', 'increment', 'echo']),
    rounds: whole(3),
    scale: positive(1),
  },
  'a clone of another version, installed and built',
);
const here = fileURLToPath(new URL('../../', import.meta.url));

/** The rows of its table, by their titles. */
function hopsOf(folder: string): Map<string, number[]> {
  const args = [join(folder, 'test/bench/hops.ts'), '--only', only.join(','), '--scale', `${scale}`];
  const out = execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  return tableRows(out.trim().split('\n').slice(2).join('\n'));
}

const folders = [other, here];
const seen: Map<string, number[]>[][] = folders.map(() => []);
for (let round = 0; round < rounds; round += 1) {
  for (const [at, folder] of folders.entries()) seen[at]?.push(hopsOf(folder));
}
const columns = ['client', 'coordinator', 'agents', 'children', 'in all'];
console.log(`| CPU, µs an item | commit | ${columns.join(' | ')} |`);
console.log(`| :-- | :-- | ${columns.map(() => '--:').join(' | ')} |`);
for (const title of seen[1]?.[0]?.keys() ?? []) {
  for (const [at, folder] of folders.entries()) {
    const cells = columns.map((_, column) => {
      const cost = median((seen[at] ?? []).map((rows) => rows.get(title)?.[column] ?? Number.NaN));
      return Number.isNaN(cost) ? '' : String(Number(cost.toPrecision(3)));
    });
    console.log(`| ${at === 0 ? title : ''} | ${commitOf(folder)} | ${cells.join(' | ')} |`);
  }
}
