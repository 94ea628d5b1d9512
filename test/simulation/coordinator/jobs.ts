import type { Session } from './session.ts';

/** A job as its coordinator knows it, beside what the core knows. */
export interface KnownJob {
  /** Agents that were given work of it. */
  readonly holders: Set<Session>;
  ending: { readonly state: string; readonly index?: number } | undefined;
  pushed: number;
}

/** The jobs of a coordinator, by the ids that it has given them. */
export class Jobs {
  readonly #jobs = new Map<string, KnownJob>();

  get ids(): string[] {
    return [...this.#jobs.keys()];
  }

  find(job: string): KnownJob | undefined {
    return this.#jobs.get(job);
  }

  create(job: string): void {
    this.#jobs.set(job, { holders: new Set(), ending: undefined, pushed: 0 });
  }

  forget(job: string): void {
    this.#jobs.delete(job);
  }

  /** A session is over. */
  release(session: Session): void {
    for (const { holders } of this.#jobs.values()) holders.delete(session);
  }

  restart(): void {
    this.#jobs.clear();
  }
}
