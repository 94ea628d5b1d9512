// A client with the same job again and again: `node steady-client.ts ADDRESS…`, as a child of stopped-client.ts.
import { connect, type MapPool } from 'shoal';
import { tasksUrl } from '../peer.ts';

/** What the parent asks for: the job, once, on one of the clusters. */
export interface Run {
  readonly cluster: number;
  readonly items: number;
}

/** What it took. */
export interface Ran {
  readonly ms: number;
}

const pools: MapPool[] = [];
for (const address of process.argv.slice(2)) pools.push(await connect(address));

async function run({ cluster, items }: Run): Promise<Ran> {
  const input = Array.from({ length: items }, (_, index) => index);
  const startedAt = performance.now();
  const output = await pools[cluster]?.map(tasksUrl, input, { export: 'increment' });
  const ms = performance.now() - startedAt;
  if (output?.some((value, index) => value !== index + 1) !== false) throw new Error('A wrong result.');
  return { ms };
}

process.once('disconnect', () => process.exit());
process.on('message', async (asked: Run) => process.send?.(await run(asked)));
process.send?.({ ms: 0 } satisfies Ran);
