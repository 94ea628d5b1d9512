import { describe, expect, test } from 'vitest';
import { setupOf, TestPool } from '../child-pool/child-pool.testkit.ts';
import { forkAddon } from './fork-addon.ts';

const { why } = forkAddon();
const { href: url } = new URL('../fixtures/endings.ts', import.meta.url);

/** Of each task of endings.ts: the exit code, and what is said last of all that is the task's own. */
const endings: readonly [name: string, exitCode: number, says: string][] = [
  ['exitHandlerThrows', 1, 'Error: uncaught'],
  ['uncaughtHandlerThrows', 7, 'Error: thrown by a handler'],
  ['monitorThrows', 7, 'Error: thrown by a handler'],
  ['captureThrows', 7, 'Error: thrown by a handler'],
  ['showingThrows', 1, 'it cannot be shown'],
  ['exitCodeIsSet', 5, 'Error: uncaught'],
  ['exits', 3, 'cleaned up'],
  ['throwsWithCleanUp', 1, 'cleaned up'],
  ['runsEmpty', 9, 'cleaned up'],
];

describe.each([
  ['spawn', false],
  ['fork', false],
  ['fork', true],
] as const)('with startChildren %s and preload %s', (startChildren, preload) => {
  test.skipIf(startChildren === 'fork' && why !== undefined)(
    'whatever way a child ends in, its exit code and its last words are those of Node',
    async () => {
      const pool = new TestPool(3);
      const setup = setupOf({ startChildren, preload, stdio: 'ignore' });
      const seen = await Promise.all(
        endings.map(async ([name, , says]) => {
          const ref = { kind: 'export', name, url, export: name } as const;
          const { ending, detail } = await pool.run(ref, [1], { setup, maxTasksPerChild: 1 });
          const exit = ending.kind === 'childDied' ? ending.exit : undefined;
          return [
            name,
            exit?.exitCode ?? ending,
            detail.stderrTail?.includes(says) ? says : detail.stderrTail,
          ];
        }),
      );
      expect(seen).toEqual(endings);
      if (startChildren === 'fork') expect(pool.pool.stats().starts.spawned).toBe(0);
      await pool.pool.terminate();
    },
    60_000,
  );
});
