/** Jobs of which nothing is left but their end and that are known, where nobody says another number. */
export const defaultEndedJobsMax = 10_000;

/** What the coordinator's core is told once. */
export interface CoordinatorLimits {
  /** This life of the coordinator. */
  readonly epoch: number;
  /** Jobs known at once, at most; those that have ended count until their clients have taken all of it. */
  readonly maxJobs: number;
  /** So many jobs of which nothing is left but their end are known beside those. Default {@link defaultEndedJobsMax}. */
  readonly endedJobsMax?: number;
  /** Bytes of the requests of all jobs that are known, at most. No limit if left out. */
  readonly maxRequestBytes?: number;
  /** How long a job is known that no client has a stream of: then it is cancelled, if it runs, and forgotten. */
  readonly graceMs: number;
  /**
   * The same where its client is not gone but silent: stopped, suspended, cut off. It was silent for a while already when
   * its connection was given up. `graceMs` if left out.
   */
  readonly silentGraceMs?: number;
}
