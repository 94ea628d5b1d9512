import type { MapPool, PoolOptions } from 'shoal';

/** Opens a pool of the kind that is tried. Leaving `await using` must end all that it started. */
export type OpenPool = (options?: PoolOptions) => Promise<MapPool>;

/** Numbers from 0. */
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** What a promise rejects with; fails if it does not. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    const value = await promise;
    throw new Error(`it was fulfilled with ${JSON.stringify(value)}`);
  } catch (error) {
    return error;
  }
}

/** Waits until something holds; fails with what was seen instead. */
export async function eventually<T>(
  look: () => T,
  holds: (seen: T) => boolean,
  withinMs: number = 5_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const seen = look();
    if (holds(seen)) return seen;
    if (performance.now() > deadline) throw new Error(`after ${withinMs} ms: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
