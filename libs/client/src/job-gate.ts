/** What a job has open at once, at most: the stream of its results, that of its items, and one short call. */
const callsPerJob = 3;
/** What a connection has open beside its jobs: the hold of its processes. */
const callsBeside = 1;

/** So many jobs fit into a connection that may have `streams` calls open, and none of their calls waits for good. */
export function jobsWithin(streams: number): number {
  return Math.max(1, Math.floor((streams - callsBeside) / callsPerJob));
}

/** The place of a job before a {@link JobGate}, or behind it. */
export interface JobPlace {
  /** It has not been let in yet. */
  readonly isWaiting: boolean;
  /** Gives it up, wherever it is; idempotent. */
  leave(): void;
}

/**
 * Lets in as many jobs of a connection at once as it can carry; the others wait in line.
 *
 * A job holds the stream of its results from its beginning to its end. If all the calls that a connection may have open
 * were such streams, none would be left for their items, and every job would wait for its input for ever.
 */
export class JobGate {
  readonly #jobsMax: number;
  readonly #inside: Set<JobPlace> = new Set();
  /** In order, each with what lets it in. */
  readonly #waiting: Map<JobPlace, () => void> = new Map();
  #isShut = false;

  constructor(jobsMax: number) {
    this.#jobsMax = jobsMax;
  }

  /** Calls `letIn` once, when it is the job's turn: at once if there is room; never, if it leaves before. */
  enter(letIn: () => void): JobPlace {
    const waiting = this.#waiting;
    const place: JobPlace = {
      get isWaiting() {
        return waiting.has(place);
      },
      leave: () => this.#leave(place),
    };
    waiting.set(place, letIn);
    this.#open();
    return place;
  }

  /** Nobody who waits is let in any more. */
  shut(): void {
    this.#isShut = true;
  }

  #leave(place: JobPlace): void {
    this.#waiting.delete(place);
    if (this.#inside.delete(place)) this.#open();
  }

  #open(): void {
    for (const [place, letIn] of this.#waiting) {
      if (this.#isShut || this.#inside.size >= this.#jobsMax) return;
      this.#waiting.delete(place);
      this.#inside.add(place);
      letIn();
    }
  }
}
