/** A part of a list that goes into one message. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Whether more follows. */
  readonly hasMore: boolean;
}

/** The first of a list, as many as have `bytesMax` together, and one where even that has more. */
export function pageOf<T>(list: Iterable<T>, bytesOf: (item: T) => number, bytesMax: number): Page<T> {
  const items: T[] = [];
  let bytes = 0;
  for (const item of list) {
    bytes += bytesOf(item);
    if (bytes > bytesMax && items.length > 0) return { items, hasMore: true };
    items.push(item);
  }
  return { items, hasMore: false };
}
