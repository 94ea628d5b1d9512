import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { leftovers, markProcesses } from './leftovers.ts';
import { check, inSeconds, timed } from './stopwatch.ts';

// What `npm run demo` runs: the acts in a process of their own, so that we can see what is left when it has ended.
markProcesses();
const { value: exitCode, seconds } = await timed(async () => {
  const acts = fileURLToPath(new URL('acts.ts', import.meta.url));
  const [code, signal] = await once(
    spawn(process.execPath, [...process.execArgv, acts], { stdio: 'inherit' }),
    'exit',
  );
  return signal === null ? Number(code) : 1;
});

const left = await leftovers(3000);
for (const each of left ?? []) console.log(`  still there: ${each}`);
if (left !== undefined) check(left.length === 0, 'every process is gone');

if (exitCode === 0) {
  console.log(`
Done in ${inSeconds(seconds)}. Now try:

  seq 1 100000 | npx shoal map examples/square.ts#square | tail -3
  npx shoal dev                              a cluster on this machine, for your own code
  npx shoal map --help
  less examples/scientists/main.ts           the first act in 20 lines
`);
}
process.exitCode = exitCode;
