/**
 * The number of this life of the coordinator.
 *
 * Agents refuse an epoch below the highest they have seen, so it must rise with every restart. A coordinator
 * without a store has nowhere to keep a counter: the time of its start, in milliseconds, rises as well.
 */
export function newEpoch(startedAt: Date = new Date()): number {
  return startedAt.getTime();
}
