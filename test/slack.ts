import { availableParallelism, loadavg } from 'node:os';

/** What is still told apart: slower than this is slow, whatever else runs. */
const slackMax = 5;

/**
 * How many times longer something may take here and now than on a machine with nothing else to do: 1, unless more
 * processes want to run than the tests themselves start. Times that are promised are promised for a machine that has them.
 */
export function slack(): number {
  const [lastMinute = 0] = loadavg();
  return Math.min(slackMax, Math.max(1, lastMinute / (2 * availableParallelism())));
}
