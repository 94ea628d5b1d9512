/**
 * Results leave when the oldest is about this old, in ms, while a job is young: whoever waits for its first sees them soon.
 * A slower item goes at once.
 */
const leastMs = 5;
/** As long as a whole chunk runs, so that it is told at once. */
const mostMs = 50;
const share = 0.25;

/**
 * How old results may get before they leave a child: a quarter as old as their job has run there, within bounds.
 *
 * On a cluster a message costs four processes 0.5 ms, and three times that while their code is cold: told every 5 ms, items
 * of 1 ms cost four fifths of their own work.
 */
export function patienceMs(jobMs: number): number {
  return Math.min(mostMs, Math.max(leastMs, jobMs * share));
}
