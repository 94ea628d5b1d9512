import { isDeepStrictEqual } from 'node:util';
import { Pool, type PoolOptions, PrintWriter } from 'shoal';
import { scientists } from '../scientists/scientist.ts';
import { type Age, transform } from '../scientists/work.ts';
import { check, inSeconds, timed } from './stopwatch.ts';

/** Act one: seven records, one second each, on one machine. */
export async function oneMachine(): Promise<readonly Age[]> {
  const before = structuredClone(scientists);

  console.log('\nSequential: for (const s of scientists) await transform(s)');
  const sequential = await timed(async () => {
    const ages: Age[] = [];
    for (const scientist of scientists) {
      process.stdout.write(`(pid=${process.pid}) `);
      ages.push(await transform(scientist));
    }
    return ages;
  });
  console.log(`  ${inSeconds(sequential.seconds)}`);

  const runs: readonly { readonly title: string; readonly options: PoolOptions; readonly pids?: number }[] = [
    { title: 'new Pool({ processes: 4 })', options: { processes: 4 } },
    { title: 'new Pool({ processes: 7 }), one process each', options: { processes: 7 } },
    {
      title: 'new Pool({ processes: 2, maxTasksPerChild: 1 }), a fresh process for every record',
      options: { processes: 2, maxTasksPerChild: 1 },
      pids: 7,
    },
  ];
  for (const { title, options, pids } of runs) {
    console.log(`\n${title}: await pool.map(transform, scientists)`);
    const seen = new Set<string>();
    const printer = new PrintWriter({ stdout: witness(seen) });
    const { value, seconds } = await timed(async () => {
      await using pool = new Pool({ ...options, printer });
      // Without this await the block would be left, and the pool terminated, before the results are there.
      return await pool.map(transform, scientists);
    });
    console.log(`  ${inSeconds(seconds)}, ${seen.size} processes`);
    check(isDeepStrictEqual(value, sequential.value), 'the same results in the same order');
    check(seconds < sequential.seconds, `faster than the ${inSeconds(sequential.seconds)} of one process`);
    if (pids !== undefined) check(seen.size === pids, `${pids} records, ${pids} pids`);
  }

  console.log('');
  check(isDeepStrictEqual(before, scientists), 'the records are unchanged');
  check(
    Object.isFrozen(scientists) && scientists.every(Object.isFrozen),
    'and still frozen, every one of them',
  );
  return sequential.value;
}

/** Shows what tasks print, and remembers which processes did. */
function witness(pids: Set<string>): { write(text: string): boolean } {
  return {
    write: (text) => {
      const pid = /pid=(\d+)/.exec(text)?.[1];
      if (pid !== undefined) pids.add(pid);
      return process.stdout.write(text);
    },
  };
}
