// Runs npm scripts one after another, stops at the first that fails, and says how long each one took:
//   node tools/phases.ts build lint test:run -- arguments for the last
import { spawnSync } from 'node:child_process';

const separator = process.argv.indexOf('--');
const phases = process.argv.slice(2, separator === -1 ? undefined : separator);
const argumentsOfLast = separator === -1 ? [] : process.argv.slice(separator + 1);

for (const phase of phases) {
  const startedAt = performance.now();
  const args = phase === phases.at(-1) ? argumentsOfLast : [];
  const { status, signal, error } = spawnSync('npm', ['run', '--silent', phase, '--', ...args], {
    stdio: 'inherit',
  });
  if (error) throw error;
  const took = `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  if (status === 0) console.error(`${phase}: ${took}`);
  else {
    console.error(`${phase}: FAILED with ${signal ?? `exit code ${status}`} after ${took}`);
    process.exit(status ?? 1);
  }
}
