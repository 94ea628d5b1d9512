import type { Block } from '@shoal/pool';
import type { DataResponse, Encoding, JobSetup, Block as WireBlock } from '@shoal/protocol';
import type { BundleCache } from './bundle-cache.ts';
import { type AgentTerms, bundlesOf, groupOf, type JobTemplate, jobTemplate } from './child-request.ts';
import type { KeepWork } from './core/agent-command.ts';
import type { AttemptId, SetupId } from './core/agent-event.ts';
import { HeldJob } from './held-job.ts';

/** What a {@link SetupShelf} works with. */
export interface SetupShelfParts {
  readonly bundles: BundleCache;
  readonly terms: AgentTerms;
  /** Everything that a job needs by now is on disk. */
  readonly onPrepared: (setup: SetupId) => void;
  /** Something cannot be had. It can be asked for again. */
  readonly onFailed: (setup: SetupId, error: unknown) => void;
}

/** All that a chunk is made of. */
export interface Work {
  readonly template: JobTemplate;
  readonly blocks: readonly Block[];
  readonly encoding: Encoding | undefined;
}

/** One announcement of a job: how to run it, its items, and its files. */
interface Shelved {
  readonly setup: SetupId;
  readonly held: HeldJob;
  /** The files that it needs: bundles, and constants of items. */
  readonly needs: Set<string>;
  /** Where those lie that are here. */
  readonly paths: Map<string, string>;
  /** What attempts run on that have not started. */
  readonly works: Map<AttemptId, readonly Block[] | undefined>;
  template: JobTemplate | undefined;
  failure: unknown;
  isFetching: boolean;
  isReleased: boolean;
}

/** The jobs that this agent was told of, each with its files on disk and its items in memory. */
export class SetupShelf {
  readonly #parts: SetupShelfParts;
  readonly #shelved = new Map<SetupId, Shelved>();
  /** Those of the present session, by job. */
  readonly #open = new Map<string, Shelved>();

  constructor(parts: SetupShelfParts) {
    this.#parts = parts;
  }

  /** Has what a job needs on disk; `job` comes with the first call. */
  prepare(setup: SetupId, job: JobSetup | undefined): void {
    const known = this.#shelved.get(setup) ?? (job === undefined ? undefined : this.#shelve(setup, job));
    if (known !== undefined && !known.isFetching) void this.#fetch(known);
  }

  /** Takes in items of a job. Returns whether they need a file that was not asked for yet. */
  addBlock(job: string, part: WireBlock): boolean {
    const known = this.#open.get(job);
    if (known === undefined) return false;
    const needed = known.needs.size;
    known.held.add(part);
    for (const sha256 of part.broadcastSha256) known.needs.add(sha256);
    return known.needs.size > needed;
  }

  /** Blocks that are needed no more. */
  forgetBlocks(forgets: DataResponse['forgetBlocks']): void {
    for (const { jobId, before } of forgets) this.#open.get(jobId)?.held.forgetBefore(before);
  }

  /** A job is over; without one: all of the last session are, and what still holds is announced anew. */
  close(job?: string): void {
    if (job === undefined) this.#open.clear();
    else this.#open.delete(job);
  }

  /** What an attempt is to run on: blocks may be forgotten before it starts. */
  keepWork({ attempt, setup, first, count }: KeepWork): void {
    const known = this.#shelved.get(setup);
    known?.works.set(attempt, known.held.blocksFor(first, count));
  }

  dropWork(setup: SetupId, attempt: AttemptId): void {
    this.#shelved.get(setup)?.works.delete(attempt);
  }

  /** All that a chunk is made of; undefined: something of it did not come. */
  takeWork(setup: SetupId, attempt: AttemptId): Work | undefined {
    const known = this.#shelved.get(setup);
    const blocks = known?.works.get(attempt);
    known?.works.delete(attempt);
    if (known?.template === undefined || blocks === undefined) return undefined;
    return { template: known.template, blocks, encoding: known.held.setup.options?.encoding };
  }

  /** What could not be had, the last time that it was tried. */
  failureOf(setup: SetupId): unknown {
    return this.#shelved.get(setup)?.failure;
  }

  /** The newest job of a group; undefined when none is open. */
  newestOf(group: string): string | undefined {
    return [...this.#open].findLast(([, { held }]) => groupOf(held.setup) === group)?.[0];
  }

  /** Lets go of a setup and its files. */
  release(setup: SetupId): void {
    const known = this.#shelved.get(setup);
    if (known === undefined) return;
    known.isReleased = true;
    this.#shelved.delete(setup);
    for (const sha256 of known.paths.keys()) this.#parts.bundles.release(sha256);
  }

  #shelve(setup: SetupId, job: JobSetup): Shelved {
    const shelved: Shelved = {
      setup,
      held: new HeldJob(job, (sha256) => this.#parts.bundles.fileOf(sha256)),
      needs: new Set(bundlesOf(job)),
      paths: new Map(),
      works: new Map(),
      template: undefined,
      failure: undefined,
      isFetching: false,
      isReleased: false,
    };
    this.#shelved.set(setup, shelved);
    this.#open.set(job.jobId, shelved);
    return shelved;
  }

  async #fetch(shelved: Shelved): Promise<void> {
    const { bundles, terms, onPrepared, onFailed } = this.#parts;
    const { setup, held, needs, paths } = shelved;
    shelved.isFetching = true;
    try {
      // What items need that come meanwhile is fetched, too.
      for (const sha256 of needs) {
        if (paths.has(sha256)) continue;
        const path = await bundles.hold(sha256);
        if (shelved.isReleased) {
          bundles.release(sha256);
          return;
        }
        paths.set(sha256, path);
      }
      shelved.template ??= jobTemplate(held.setup, paths, terms);
      shelved.isFetching = false;
    } catch (error) {
      shelved.isFetching = false;
      shelved.failure = error;
      if (!shelved.isReleased) onFailed(setup, error);
      return;
    }
    onPrepared(setup);
  }
}
