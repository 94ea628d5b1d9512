import type { Attempt } from './attempt.ts';

/** The attempts at a job in the order in which they were handed out. Each is in its job's list from its start to its end. */
export class JobAttempts {
  #size = 0;
  #first: Attempt | undefined;
  #last: Attempt | undefined;

  get size(): number {
    return this.#size;
  }

  add(attempt: Attempt): void {
    const last = this.#last;
    attempt.olderOfJob = last;
    if (last === undefined) this.#first = attempt;
    else last.newerOfJob = attempt;
    this.#last = attempt;
    this.#size += 1;
  }

  /** Takes out an attempt that is in it. */
  delete(attempt: Attempt): void {
    const { newerOfJob, olderOfJob } = attempt;
    if (olderOfJob === undefined) this.#first = newerOfJob;
    else olderOfJob.newerOfJob = newerOfJob;
    if (newerOfJob === undefined) this.#last = olderOfJob;
    else newerOfJob.olderOfJob = olderOfJob;
    attempt.olderOfJob = undefined;
    attempt.newerOfJob = undefined;
    this.#size -= 1;
  }

  has(attempt: Attempt): boolean {
    const { olderOfJob } = attempt;
    return (olderOfJob === undefined ? this.#first : olderOfJob.newerOfJob) === attempt;
  }

  /** The oldest first. Those that are added meanwhile come too. */
  *[Symbol.iterator](): Generator<Attempt> {
    for (let attempt = this.#first; attempt !== undefined; attempt = attempt.newerOfJob) yield attempt;
  }
}
