/**
 * What `pool.broadcast` saves on this machine: `npm run build && node test/bench/broadcast.ts [--megabytes 16] [--items 100]`.
 *
 * The same table, once inside each item and once as a handle; the same results. Memory is what this process and its
 * children use at most meanwhile.
 */
import { readFileSync } from 'node:fs';
import { type Broadcast, Pool } from 'shoal';
import { optionsOf, whole } from './options.ts';

const { megabytes, items } = optionsOf({ megabytes: whole(16), items: whole(100) });
const table = new Float64Array((megabytes * 1e6) / 8).map((_, at) => at);
const processes = 2;

const rssMiB = (pid: number | 'self'): number => {
  try {
    const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kib ?? 0) / 1024;
  } catch {
    return 0;
  }
};

async function measure(name: string, run: (pool: Pool) => Promise<number[]>): Promise<number> {
  await using pool = new Pool({ processes });
  await pool.map((x: number) => x, [1, 2]);
  let peakMiB = 0;
  const look = (): void => {
    const children = pool.stats().processes.reduce((sum, { pid }) => sum + rssMiB(pid), 0);
    peakMiB = Math.max(peakMiB, rssMiB('self') + children);
  };
  const timer = setInterval(look, 20);
  const startedAt = performance.now();
  const results = await run(pool);
  const ms = performance.now() - startedAt;
  look();
  clearInterval(timer);
  if (results.some((result, at) => result !== table[at])) throw new Error(`${name}: wrong results`);
  console.log(
    `${name.padEnd(18)} ${ms.toFixed(0).padStart(7)} ms   peak ${peakMiB.toFixed(0).padStart(5)} MiB`,
  );
  return ms;
}

const ids = Array.from({ length: items }, (_, at) => at);
console.log(`${items} items that look into a table of ${megabytes} MB, ${processes} processes`);
const handle = await measure('as a handle', async (pool) => {
  using shared = pool.broadcast(table);
  // Awaited here: leaving this function releases it.
  return await pool.map(
    ({ at, shared }: { at: number; shared: Broadcast<Float64Array> }) => shared.value[at] ?? -1,
    ids.map((at) => ({ at, shared })),
  );
});
const inside = await measure('inside each item', (pool) =>
  pool.map(
    ({ at, table }: { at: number; table: Float64Array }) => table[at] ?? -1,
    ids.map((at) => ({ at, table })),
  ),
);
console.log(`${(inside / handle).toFixed(1)} times as fast as a handle`);
