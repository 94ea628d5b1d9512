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

/** What a job before a {@link JobGate} hears; nothing after it has left, and one of the first two, once. */
export interface JobTurn {
  /** It is its turn. */
  readonly letIn: () => void;
  /** Nobody can say how many may go in. */
  readonly refuse: (error: unknown) => void;
  /** It goes on waiting: for its turn, or until it is known how many may go in. */
  readonly wait: () => void;
}

/**
 * Lets in as many jobs of a connection at once as it can carry; the others wait in line.
 *
 * A job holds the stream of its results from its beginning to its end. If all the calls that a connection may have open
 * were such streams, none would be left for their items, and every job would wait for its input for ever.
 */
export class JobGate {
  #jobsMax: number;
  /** Asks how many may be inside; undefined where that is known. */
  #ask: (() => Promise<number>) | undefined;
  #isAsking = false;
  readonly #inside: Set<JobPlace> = new Set();
  /** In order. */
  readonly #waiting: Map<JobPlace, JobTurn> = new Map();
  #isShut = false;

  constructor(jobsMax: number) {
    this.#jobsMax = jobsMax;
  }

  /** Lets a job in when it is its turn: at once if there is room; never, if it leaves before. */
  enter(turn: JobTurn): JobPlace {
    const waiting = this.#waiting;
    const place: JobPlace = {
      get isWaiting() {
        return waiting.has(place);
      },
      leave: () => this.#leave(place),
    };
    waiting.set(place, turn);
    this.#open();
    return place;
  }

  /** How many may be inside is not certain any more: before the next one goes in, `ask` says it anew. */
  doubt(ask: () => Promise<number>): void {
    this.#ask = ask;
    for (const [, { wait }] of this.#waiting) wait();
    // Whoever waits need not wait for that until another one leaves.
    this.#open();
  }

  /** Whether those who wait do so until that is known. */
  get isInDoubt(): boolean {
    return this.#ask !== undefined;
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
    for (const [place, { letIn }] of this.#waiting) {
      if (this.#isShut) return;
      if (this.#ask !== undefined) {
        void this.#resolve(this.#ask);
        return;
      }
      if (this.#inside.size >= this.#jobsMax) return;
      this.#waiting.delete(place);
      this.#inside.add(place);
      letIn();
    }
  }

  async #resolve(ask: () => Promise<number>): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    let failure: { readonly error: unknown } | undefined;
    try {
      this.#jobsMax = await ask();
      // Doubted again meanwhile: the answer may be of before that.
      if (this.#ask === ask) this.#ask = undefined;
    } catch (error) {
      failure = { error };
    }
    this.#isAsking = false;
    if (failure === undefined) {
      this.#open();
      for (const [, { wait }] of this.#waiting) wait();
      return;
    }
    const refused = [...this.#waiting];
    this.#waiting.clear();
    for (const [, { refuse }] of refused) refuse(failure.error);
  }
}
