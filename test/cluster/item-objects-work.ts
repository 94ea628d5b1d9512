import { type HeapProfiler, Session } from 'node:inspector';

/** So many bytes lie between two samples, about. */
const samplingInterval = 16_384;

/** Counts the bytes of the objects that this process makes, also of those that are garbage already. */
export class Allocations {
  readonly #session: Session = new Session();

  constructor() {
    this.#session.connect();
    this.#session.post('HeapProfiler.startSampling', {
      samplingInterval,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
  }

  /** Ends it; says how many bytes that were. */
  stop(): number {
    let bytes = Number.NaN;
    // Answered before it returns, as all of this protocol within one process.
    this.#session.post('HeapProfiler.stopSampling', (_error, { profile }) => {
      bytes = bytesOf(profile.head);
    });
    this.#session.disconnect();
    return bytes;
  }
}

function bytesOf({ children, selfSize }: HeapProfiler.SamplingHeapProfileNode): number {
  return children.reduce((bytes, child) => bytes + bytesOf(child), selfSize);
}

let allocations: Allocations | undefined;

/** x + 1 for 0 to 499,999; the result of the last one is how many bytes of objects its process has made since the first. */
export function countedIncrement(x: number): number {
  if (x === 0) allocations = new Allocations();
  return x === 499_999 ? (allocations?.stop() ?? Number.NaN) : x + 1;
}
