import { expect, test } from 'vitest';
import { setupOf } from '../child-pool/child-pool.testkit.ts';
import type { TaskRef } from '../child-pool/chunk-request.ts';
import { poolsOfTests } from '../child-pool/test-pools.testkit.ts';
import { forkAddon } from './fork-addon.ts';

const pool = poolsOfTests();

/** Pages that a process had to be given for its first digest: 18 where what OpenSSL looks up is there already, 60 where not. */
const pages: TaskRef = {
  kind: 'inline',
  name: 'pages',
  source: `() => {
    const { hash } = process.getBuiltinModule('node:crypto');
    const count = () => process.resourceUsage().minorPageFault;
    count();
    const before = count();
    hash('sha256', 'item');
    return count() - before;
  }`,
};

test.skipIf(forkAddon().addon === undefined)(
  'a forked child need not look up what its server knows of digests',
  async () => {
    const setup = setupOf({ startChildren: 'fork' });
    const { values } = await pool(1).run(pages, [1, 2, 3], { setup, maxTasksPerChild: 1 });
    const [fewest = Number.NaN] = [...values.values()].map(Number).sort((one, other) => one - other);
    expect(fewest).toBeLessThan(36);
  },
);
