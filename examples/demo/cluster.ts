import { isDeepStrictEqual } from 'node:util';
import { connect } from 'shoal';
import { scientists } from '../scientists/scientist.ts';
import { type Age, transform } from '../scientists/work.ts';
import type { ClusterProcesses } from './cluster-processes.ts';
import { marker } from './leftovers.ts';
import { check, inSeconds, timed } from './stopwatch.ts';

/** Act two: the same line on three agents over gRPC, one of which is killed while it works. */
export async function onCluster(cluster: ClusterProcesses, expected: readonly Age[]): Promise<void> {
  await using pool = await connect(cluster.address, { env: [marker] });

  console.log('\nawait pool.map(transform, scientists) on 3 agents x 2 processes');
  const calm = await timed(() => pool.map(transform, scientists));
  console.log(`  ${inSeconds(calm.seconds)}`);
  check(isDeepStrictEqual(calm.value, expected), 'the same results in the same order');

  console.log('\nOnce more; half a second in, agent-2 is killed with SIGKILL');
  const stormy = await timed(async () => {
    const job = pool.map(transform, scientists);
    await new Promise((resolve) => setTimeout(resolve, 500));
    cluster.kill('agent-2');
    console.log(`  kill -9 ${cluster.pidOf('agent-2')} (agent-2)`);
    return job;
  });
  console.log(`  ${inSeconds(stormy.seconds)}`);
  check(
    isDeepStrictEqual(stormy.value, expected),
    'complete and in order all the same: its items ran elsewhere',
  );
}
