import { must } from '../violation.ts';

/** Who reads a job: only the session that read it last may say that its outcomes are needed no more. */
export class Reads {
  /** By the coordinator's id of a job. */
  readonly #sessions = new Map<string, string>();

  bound(job: string, session: string): void {
    this.#sessions.set(job, session);
  }

  acknowledged(job: string, session: string): void {
    must(
      this.#sessions.get(job) === session,
      'G3',
      () => `${session} says that it has outcomes of ${job}, which ${this.#sessions.get(job)} reads`,
      { job: job.slice(0, job.indexOf('@')) },
    );
  }
}
