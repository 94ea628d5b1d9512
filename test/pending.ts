/**
 * Work that a test awaits later. When the test fails before that, this rejects as its pool ends, and nobody looks: one
 * failure is one failure, not an unhandled rejection beside it.
 */
export function pending<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {});
  return work;
}
