const firstMs = 250;
const capMs = 30_000;

/**
 * How long to wait before the next try, after `failures` failed ones in a row (from 1).
 *
 * Full jitter: anything from 0 to 250 ms x 2 for each failure, at most 30 s. Two hundred agents that lost the same
 * coordinator at the same moment must not come back at the same moment.
 */
export function backoffMs(failures: number, random: () => number = Math.random): number {
  return random() * Math.min(capMs, firstMs * 2 ** (failures - 1));
}
