// Runs a command as on a machine that has everything but a C compiler, so that there is no fork server and children are spawned:
//   node tools/without-compiler.mjs npm test
// Plain JavaScript without dependencies, for it runs before anything is installed and on Node 20.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** cc, c99, gcc, g++, clang and tcc, with the system before their name or a version after it. */
const compiler = /^(?:.*-)?(?:cc|c89|c99|c89-gcc|c99-gcc|c\+\+|gcc|g\+\+|clang|clang\+\+|tcc)(?:-[\d.]+)?$/;

const [command, ...args] = process.argv.slice(2);
if (command === undefined) {
  console.error('What is to be run? node tools/without-compiler.mjs npm test');
  process.exit(2);
}

// A folder of links to all other programs: the first of a name wins, as on the PATH.
const programs = join(root, '.build/without-compiler');
rmSync(programs, { recursive: true, force: true });
mkdirSync(programs, { recursive: true });
const taken = new Set();
for (const folder of (process.env.PATH ?? '').split(delimiter)) {
  for (const name of listOf(folder)) {
    if (compiler.test(name) || taken.has(name)) continue;
    taken.add(name);
    symlinkSync(resolve(folder, name), join(programs, name));
  }
}

// One that was compiled earlier would be kept. The next build makes it again.
rmSync(join(root, 'libs/fork-server/dist'), { recursive: true, force: true });
const { CC: _, ...env } = process.env;
const { status, signal, error } = spawnSync(command, args, {
  stdio: 'inherit',
  env: { ...env, PATH: programs },
});
if (error !== undefined) console.error(`${command} cannot be run: ${error.message}`);
process.exitCode = signal === null ? (status ?? 1) : 1;

function listOf(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
