/**
 * How long it takes until something happens: `npm run build && node test/bench/startup.ts [--repeats 9]`.
 *
 * Each figure beside that of a Node process that does nothing, taken in turns, for a machine that others use makes all of
 * them slower alike: medians, and the best of the runs.
 */
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { optionsOf, whole } from './options.ts';
import { median } from './statistics.ts';

const { repeats } = optionsOf({ repeats: whole(9) });

// Beside this file, so that `shoal` is found; it is a module like a user's.
const program = fileURLToPath(new URL('startup-program.ts', import.meta.url));
writeFileSync(
  program,
  `const started = performance.now();
const { Pool, task } = await import('shoal');
const imported = performance.now();
export const addOne = task(import.meta, (x: number) => x + 1);
if (import.meta.main) {
  const pool = new Pool({ processes: 1 });
  await pool.map(addOne, [1]);
  const first = performance.now();
  await pool.terminate();
  console.log(JSON.stringify({ imported: imported - started, first: first - imported }));
}
`,
);

interface Startup {
  /** Of a Node process that does nothing, from its start to its end. */
  readonly bare: number;
  /** import 'shoal'. */
  readonly imported: number;
  /** From \`new Pool()\` to its first result. */
  readonly first: number;
}

function run(): Startup {
  const startedAt = performance.now();
  spawnSync(process.execPath, ['-e', '0']);
  const bare = performance.now() - startedAt;
  const { stdout, stderr } = spawnSync(process.execPath, [...process.execArgv, program], {
    encoding: 'utf8',
  });
  if (stdout === '') throw new Error(stderr);
  return { bare, ...(JSON.parse(stdout) as Omit<Startup, 'bare'>) };
}

try {
  run(); // Fills the compile cache.
  const runs = Array.from({ length: repeats }, run);
  const middle = (of: keyof Startup): number => median(runs.map((each) => each[of]));
  const best = (of: keyof Startup): number => Math.min(...runs.map((each) => each[of]));
  console.log('|                                  | median ms | best ms | of a bare Node process |');
  console.log('| ---                              |      ---: |    ---: |                   ---: |');
  for (const [what, of] of [
    ['a Node process that does nothing', 'bare'],
    ["import 'shoal'", 'imported'],
    ['new Pool() to the first result', 'first'],
  ] as const) {
    const ratio = (middle(of) / middle('bare')).toFixed(2);
    console.log(
      `| ${what.padEnd(32)} | ${middle(of).toFixed(0).padStart(9)} | ${best(of).toFixed(0).padStart(7)} | ${ratio.padStart(22)} |`,
    );
  }
} finally {
  rmSync(program);
}
