// Apart from the pool that it makes, which processes without a test runner use too.
import { afterEach } from 'vitest';
import { TestPool } from './child-pool.testkit.ts';

/** Makes the pools of the tests of a file; each ends with its test. */
export function poolsOfTests(): (processes: number) => TestPool {
  const pools: TestPool[] = [];
  afterEach(async () => {
    await Promise.all(pools.splice(0).map(({ pool }) => pool.terminate()));
  });
  return (processes) => {
    const pool = new TestPool(processes);
    pools.push(pool);
    return pool;
  };
}
