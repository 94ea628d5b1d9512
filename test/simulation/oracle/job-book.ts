import type { Received } from '../client/fate.ts';
import type { Execution } from '../execution.ts';
import type { JobPlan } from '../scenario.ts';

/** What an item has been through, if it was ever in trouble. */
export interface Trouble {
  thrown: number;
  crash: number;
  timeout: number;
  lost: number;
  /** Crashes of which others are suspects, too. */
  shared: number;
  /** A child died with it. */
  isAlone: boolean;
  /** Where it crashed, if nothing else has happened to it since. */
  crashed: { readonly agent: string; readonly atMs: number } | undefined;
  /** Since when its next try waits. */
  waitsSinceMs: number | undefined;
}

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
  /** By index: the attempt that was given it last. */
  readonly holder: number[];
  /** By index: whether it was given to a second agent to beat a straggler. */
  readonly copies: number[];
  readonly #troubles = new Map<number, Trouble>();
  /** By index: whether it has failed for good. */
  readonly #failed = new Set<number>();
  /** What the errors weigh that are kept for the client, by index, and in the order of delivery. */
  readonly #errors = new Map<number, number>();
  readonly #delivered: number[] = [];
  #released = 0;
  errorBytes = 0;
  retried = 0;
  /** Items that the coordinator has, of which so many can be handed out, and were handed out at least once. */
  pushed = 0;
  ready = 0;
  dispatched = 0;
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
    this.holder = new Array<number>(plan.items).fill(0);
    this.copies = new Array<number>(plan.items).fill(0);
    this.got = new Array<Received | undefined>(plan.items).fill(undefined);
  }

  executionsOf(index: number): Execution[] {
    return this.executions[index] ?? [];
  }

  findTrouble(index: number): Trouble | undefined {
    return this.#troubles.get(index);
  }

  troubleOf(index: number): Trouble {
    const known = this.#troubles.get(index);
    if (known !== undefined) return known;
    const none = { thrown: 0, crash: 0, timeout: 0, lost: 0, shared: 0 };
    const trouble = { ...none, isAlone: false, crashed: undefined, waitsSinceMs: undefined };
    this.#troubles.set(index, trouble);
    return trouble;
  }

  failed(index: number): void {
    this.#failed.add(index);
  }

  /** Outcomes that were delivered. */
  get deliveries(): number {
    return this.#delivered.length;
  }

  /** What the error of an item that failed for good weighs. */
  weighed(index: number, bytes: number): void {
    this.#errors.set(index, bytes);
    this.errorBytes += bytes;
  }

  delivered(first: number, count: number): void {
    for (let index = first; index < first + count; index += 1) {
      this.#delivered.push(this.#errors.get(index) ?? 0);
    }
  }

  /** The client has so many outcomes. */
  releasedTo(position: number): void {
    for (; this.#released < position; this.#released += 1) {
      this.errorBytes -= this.#delivered[this.#released] ?? 0;
    }
  }

  /** Whether the coordinator has its outcome. */
  isSettled(index: number): boolean {
    return this.kept[index] !== 0 || this.#failed.has(index);
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

  /** The book of a job that a coordinator has given this id. */
  bookOf(id: string): JobBook | undefined {
    return this.#books.get(id.slice(0, id.indexOf('@')));
  }

  /** The same job once more, for a coordinator that knows nothing of the first time. */
  renew(name: string): void {
    this.#books.set(name, new JobBook(this.of(name).plan));
  }
}
