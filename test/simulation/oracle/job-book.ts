import type { Received } from '../client/fate.ts';
import type { Execution } from '../execution.ts';
import type { JobPlan } from '../scenario.ts';

/** What the oracle remembers of one job. */
export class JobBook {
  readonly plan: JobPlan;
  /** By index: the calls that were begun. */
  readonly executions: Execution[][];
  /** By index: the last two attempts that were handed out. */
  readonly latest: [number, number][];
  /** By index: the call whose value the coordinator took. */
  readonly kept: number[];
  /** By index: what the client got. */
  readonly got: (Received | undefined)[];
  retried = 0;
  /** By index: calls that were cut off at no cost to their item. */
  readonly givenBack: number[];
  endedAtMs: number | undefined;
  state: string | undefined;
  id: string | undefined;
  epoch = 0;
  cancelAskedAtMs: number | undefined;

  constructor(plan: JobPlan) {
    this.plan = plan;
    this.executions = Array.from({ length: plan.items }, () => []);
    this.latest = Array.from({ length: plan.items }, () => [0, 0]);
    this.kept = new Array<number>(plan.items).fill(0);
    this.givenBack = new Array<number>(plan.items).fill(0);
    this.got = new Array<Received | undefined>(plan.items).fill(undefined);
  }

  executionsOf(index: number): Execution[] {
    return this.executions[index] ?? [];
  }
}

/** What the oracle remembers of all jobs. */
export class JobBooks {
  readonly #books = new Map<string, JobBook>();

  constructor(plans: readonly JobPlan[]) {
    for (const plan of plans) this.#books.set(plan.name, new JobBook(plan));
  }

  get all(): Iterable<JobBook> {
    return this.#books.values();
  }

  find(name: string): JobBook | undefined {
    return this.#books.get(name);
  }

  /** Throws where there is no such job. */
  of(name: string): JobBook {
    const book = this.#books.get(name);
    if (book === undefined) throw new Error(`there is no job ${name}`);
    return book;
  }

  /** The plan of a job that a coordinator has given this id. */
  planOf(id: string): JobPlan | undefined {
    return this.#books.get(id.slice(0, id.indexOf('@')))?.plan;
  }

  /** The same job once more, for a coordinator that knows nothing of the first time. */
  renew(name: string): void {
    this.#books.set(name, new JobBook(this.of(name).plan));
  }
}
