/** Forked children are copies, and draw what they draw by themselves all the same. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { setupOf } from '../child-pool/child-pool.testkit.ts';
import type { ChildSetup } from '../child-pool/chunk-request.ts';
import { forkAddon } from './fork-addon.ts';
import { Forking, importing } from './forking.testkit.ts';

const { why } = forkAddon();

describe.skipIf(why !== undefined)('a pool that forks', () => {
  test('gives threads of its children chance of their own', async () => {
    await using pool = new Forking(1);
    const { values } = await pool.run('chances', [1, 2], { maxTasksPerChild: 1 });
    const drawn = [...values.values()].flat();
    expect(drawn).toHaveLength(4);
    expect(new Set(drawn).size).toBe(4);
  });

  const drawsInteger = importing('import { randomInt } from "node:crypto"; randomInt(2)');
  test.each<[string, string, Partial<ChildSetup>]>([
    ['an integer', 'integer', { execArgv: drawsInteger }],
    ['a number', 'random', { execArgv: importing('Math.random()') }],
    [
      'an integer (by NODE_OPTIONS, in quotes)',
      'integer',
      { env: { ...setupOf().env, NODE_OPTIONS: `"${drawsInteger.join('=')}"` } },
    ],
  ])(
    'gives each child chance of its own, although a module of --import has drawn %s',
    async (_, name, setup) => {
      const folder = mkdtempSync(join(tmpdir(), 'shoal-fork-'));
      const env = { ...(setup.env ?? setupOf().env), SHOAL_FORK_FOLDER: folder };
      await using pool = new Forking(1, { ...setup, env });
      const { values } = await pool.run('identity', [1, 2], { maxTasksPerChild: 1 });
      const [one, other] = [...values.values()].map((value) => (value as Record<string, unknown>)[name]);
      expect(pool.starts).toMatchObject({ spawned: 0 });
      expect([one, other]).toEqual([expect.any(Number), expect.any(Number)]);
      expect(one).not.toBe(other);
      rmSync(folder, { recursive: true });
    },
  );

  test('lets a module of --import decide what Math.random draws, as in a spawned child', async () => {
    const draw = 'let at = 0; Math.random = () => (at += 0.125)';
    await using pool = new Forking(1, { execArgv: importing(draw) });
    const { values } = await pool.run('draw', [1, 2], { maxTasksPerChild: 1 });
    expect(pool.starts).toEqual({ spawned: 0, forked: expect.any(Number) });
    // The second one: the module of the task has drawn while it was loaded.
    expect([...values.values()]).toEqual([0.25, 0.25]);
  });
});
