/**
 * What `--import` loads into a coordinator that is attacked: on SIGUSR2 it logs what is alive in it, after a collection.
 *
 * Its resident memory has room in it, too, that V8 and the allocator took in the busiest moment and keep: pages of that
 * are touched for the first time long after.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

process.on('SIGUSR2', () => {
  const { heapTotal } = process.memoryUsage();
  collect();
  // What the first one has finalized is let go of by the second.
  collect();
  const { heapUsed, external } = process.memoryUsage();
  const line = { event: 'memory.read', msg: '', time: Date.now(), alive: heapUsed + external, heapTotal };
  process.stderr.write(`${JSON.stringify(line)}\n`);
});
