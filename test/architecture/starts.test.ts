import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

// Of what has been built: from sources a child is no script.
const shoal = new URL('../../libs/shoal/dist/index.js', import.meta.url);
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shoal-starts-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Three items, each in a process of its own: all import, and the last one throws. Where, says its stack. */
function run(): unknown {
  const program = join(folder, 'program.mjs');
  writeFileSync(
    program,
    `import { Pool } from ${JSON.stringify(shoal.href)};
    const pool = new Pool({ processes: 1, maxTasksPerChild: 1 });
    const stackOf = async (x) => {
      const { sep } = await import('node:path');
      if (x === 3) throw new Error('three');
      return sep + x;
    };
    const stack = await pool.map(stackOf, [1, 2, 3], { chunkSize: 1 }).catch(({ cause }) => cause.stack);
    console.log(JSON.stringify(stack));
    await pool.close();`,
  );
  const { stdout, stderr } = spawnSync(process.execPath, [program], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], XDG_CACHE_HOME: folder },
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

test('a child starts with what an earlier one has compiled', () => {
  const stack = run();
  // Of a script, too, what is ours is cut from a stack.
  expect(stack).toBe('Error: three\n    at shoal-inline:stackOf:3:26');
  const [kept = '', ...others] = globSync(join(folder, 'shoal/compile/*/shoal/*'));
  expect([kept, others]).toEqual([expect.stringMatching(/child-[0-9a-f]{64}\.bin$/), []]);
  const { ino } = statSync(kept);
  expect(run()).toEqual(stack);
  expect(statSync(kept).ino).toBe(ino);
});
