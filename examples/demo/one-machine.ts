import { isDeepStrictEqual } from 'node:util';
import { Pool, type PoolOptions } from 'shoal';
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

  const runs: readonly { readonly title: string; readonly options: PoolOptions; readonly atMost: number }[] =
    [
      { title: 'new Pool({ processes: 4 })', options: { processes: 4 }, atMost: 4 },
      { title: 'new Pool({ processes: 7 }), one process each', options: { processes: 7 }, atMost: 3 },
      {
        title: 'new Pool({ processes: 2, maxTasksPerChild: 1 }), a fresh process for every record',
        options: { processes: 2, maxTasksPerChild: 1 },
        atMost: 6.5,
      },
    ];
  for (const { title, options, atMost } of runs) {
    console.log(`\n${title}: await pool.map(transform, scientists)`);
    const { value, seconds } = await timed(async () => {
      await using pool = new Pool(options);
      // Without this await the block would be left, and the pool terminated, before the results are there.
      return await pool.map(transform, scientists);
    });
    console.log(`  ${inSeconds(seconds)}`);
    check(isDeepStrictEqual(value, sequential.value), 'the same results in the same order');
    check(seconds < atMost, `well under the ${inSeconds(sequential.seconds)} of one process`);
  }

  console.log('');
  check(isDeepStrictEqual(before, scientists), 'the records are unchanged');
  check(
    Object.isFrozen(scientists) && scientists.every(Object.isFrozen),
    'and still frozen, every one of them',
  );
  return sequential.value;
}
