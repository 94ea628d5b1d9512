/**
 * Results leave when the oldest is about this old, in ms, while a job is young: whoever waits for its first sees them soon.
 * A slower item of a young job goes at once.
 */
const leastMs = 5;
/** Longer than a chunk of automatic size runs, also where its items take a little longer than was measured: it is told at once. */
const mostMs = 300;
/** The same for slower items: their chunks are shorter, and each of them is waited for by itself. */
const mostMsOfSlow = 100;
/** Items from so many ms on are slow. */
const slowMs = 20;
const share = 0.5;

// Taken before any task runs, for a task may put something else in their places.
const { max, min } = Math;

/**
 * How old results may get before they leave a child: half as old as their job has run there, within bounds. `itemMs` is what the
 * last items took, some or one.
 *
 * On a cluster a message costs four processes 0.5 ms, and many times that where they share CPUs and caches with the
 * children: told every 5 ms, items of 1 ms cost four fifths of their own work.
 */
export function patienceMs(jobMs: number, itemMs: number): number {
  return min(itemMs < slowMs ? mostMs : mostMsOfSlow, max(leastMs, jobMs * share));
}
