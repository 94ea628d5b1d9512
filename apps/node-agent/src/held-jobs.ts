import type { DataResponse } from '@shoal/protocol';
import type { BundleCache } from './bundle-cache.ts';
import { type AgentTerms, bundlesOf, groupOf, type JobTemplate, jobTemplate } from './child-request.ts';
import { HeldJob } from './held-job.ts';

/** A job whose bundles, and constants of its items, are here, or on their way. */
export interface PreparedJob {
  readonly held: HeldJob;
  /** Set once everything is here. */
  template: JobTemplate | undefined;
  /** Rejects when a bundle cannot be had. Another promise when its items need a further one. */
  ready: Promise<JobTemplate>;
}

interface KnownJob extends PreparedJob {
  /** Bundles and constants that it holds. */
  readonly hashes: string[];
  /** Constants asked for. */
  readonly constants: Set<string>;
}

/** The jobs that this agent was told of in the present session, each with its bundles on disk. */
export class HeldJobs {
  readonly #bundles: BundleCache;
  readonly #terms: AgentTerms;
  readonly #jobs = new Map<string, KnownJob>();
  /** Jobs that are over but for attempts that still need their bundles. */
  #leaving: { readonly id: string; readonly release: () => void }[] = [];

  constructor(bundles: BundleCache, terms: AgentTerms) {
    this.#bundles = bundles;
    this.#terms = terms;
  }

  get(id: string): PreparedJob | undefined {
    return this.#jobs.get(id);
  }

  /** The newest job of a group; undefined when none is open. */
  newestOf(group: string): string | undefined {
    return [...this.#jobs].findLast(([, { held }]) => groupOf(held.setup) === group)?.[0];
  }

  /** Jobs and blocks, before the work that needs them. */
  learn({ setups, blocks }: Pick<DataResponse, 'setups' | 'blocks'>): void {
    for (const setup of setups) {
      this.forget([setup.jobId]);
      this.#prepare(new HeldJob(setup, (sha256) => this.#bundles.fileOf(sha256)));
    }
    for (const { jobId, blocks: parts } of blocks) {
      const job = this.#jobs.get(jobId);
      if (job === undefined) continue;
      for (const part of parts) {
        job.held.add(part);
        this.#fetchConstants(job, part.broadcastSha256);
      }
    }
  }

  /** Blocks that are needed no more. */
  forgetBlocks(forgets: DataResponse['forgetBlocks']): void {
    for (const { jobId, before } of forgets) this.#jobs.get(jobId)?.held.forgetBefore(before);
  }

  /** Jobs that are over. Their bundles stay until `release` is told that no attempt needs them. */
  forget(ids: Iterable<string> = [...this.#jobs.keys()]): void {
    for (const id of ids) {
      const job = this.#jobs.get(id);
      if (job === undefined) continue;
      this.#jobs.delete(id);
      const release = (): void => {
        for (const sha256 of job.hashes) this.#bundles.release(sha256);
      };
      this.#leaving.push({ id, release: () => void job.ready.then(release, release) });
    }
  }

  /** Lets go of the bundles of jobs that are over, as far as no attempt needs them. */
  release(needed: () => Set<string>): void {
    if (this.#leaving.length === 0) return;
    const ids = needed();
    for (const { id, release } of this.#leaving) if (!ids.has(id)) release();
    this.#leaving = this.#leaving.filter(({ id }) => ids.has(id));
  }

  #prepare(held: HeldJob): void {
    const hashes: string[] = [];
    const ready = this.#fetched(held, hashes);
    const job = { held, template: undefined, ready, hashes, constants: new Set<string>() };
    this.#jobs.set(held.setup.jobId, job);
    readyWith(job, ready);
  }

  /** Items that came refer to these: what is dispatched from now on waits for them. */
  #fetchConstants(job: KnownJob, constants: readonly string[]): void {
    for (const sha256 of constants) {
      if (job.constants.has(sha256)) continue;
      job.constants.add(sha256);
      const arrived = this.#bundles.hold(sha256).then(() => job.hashes.push(sha256));
      readyWith(
        job,
        Promise.all([job.ready, arrived]).then(([template]) => template),
      );
    }
  }

  async #fetched({ setup }: HeldJob, hashes: string[]): Promise<JobTemplate> {
    const paths = new Map<string, string>();
    for (const sha256 of bundlesOf(setup)) {
      paths.set(sha256, await this.#bundles.hold(sha256));
      hashes.push(sha256);
    }
    return jobTemplate(setup, paths, this.#terms);
  }
}

function readyWith(job: KnownJob, ready: Promise<JobTemplate>): void {
  job.template = undefined;
  job.ready = ready;
  ready.then(
    (template) => {
      // Something more may have been asked for meanwhile.
      if (job.ready === ready) job.template = template;
    },
    // Told to each attempt that waits for it.
    () => {},
  );
}
