import type { SetupId } from './agent-event.ts';
import type { Turn } from './turn.ts';

/** One announcement of a job. */
export interface Setup {
  readonly setup: SetupId;
  readonly job: string;
  /** Its files are on their way; are here; could not be had, but may be had later; never will. */
  state: 'preparing' | 'ready' | 'lacking' | 'failed';
  /** More work on it may come. */
  isOpen: boolean;
  /** Attempts that hold on to it. */
  users: number;
}

/**
 * The jobs that this agent was told of, and whether what they need is here.
 *
 * The coordinator announces jobs anew in each session; what an earlier session announced stays for as long as attempts
 * need it, and then goes.
 */
export class JobSetups {
  readonly #turn: Turn;
  readonly #byId = new Map<SetupId, Setup>();
  readonly #open = new Map<string, Setup>();
  #ids = 0;

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  get all(): Iterable<Setup> {
    return this.#byId.values();
  }

  /** What work on a job is run by now; undefined: it was not announced. */
  of(job: string): Setup | undefined {
    return this.#open.get(job);
  }

  announce(job: string): void {
    this.forget(job);
    this.#ids += 1;
    const setup: Setup = { setup: this.#ids, job, state: 'preparing', isOpen: true, users: 0 };
    this.#byId.set(setup.setup, setup);
    this.#open.set(job, setup);
    this.#prepare(setup);
  }

  /** It needs more than was prepared: what is dispatched from now on waits for that. */
  grown(job: string): void {
    const setup = this.#open.get(job);
    // One that is being prepared is not done before everything is here.
    if (setup?.state === 'ready') this.#prepare(setup);
  }

  forget(job: string): void {
    const setup = this.#open.get(job);
    if (setup === undefined) return;
    this.#open.delete(job);
    setup.isOpen = false;
    this.#releaseUnneeded(setup);
  }

  forgetAll(): void {
    for (const job of [...this.#open.keys()]) this.forget(job);
  }

  /** An attempt needs it, and holds on to it until {@link unuse}. */
  use(setup: Setup): void {
    setup.users += 1;
  }

  /** What could not be had before is asked for again: there may be room on the disk by now. */
  retry(setup: Setup): void {
    if (setup.state === 'lacking') this.#prepare(setup);
  }

  /** An attempt needs it no more. */
  unuse(setup: Setup): void {
    setup.users -= 1;
    this.#releaseUnneeded(setup);
  }

  /** What a setup has come to; undefined: it was released meanwhile. */
  settled(id: SetupId, state: 'ready' | 'lacking' | 'failed'): Setup | undefined {
    const setup = this.#byId.get(id);
    if (setup !== undefined) setup.state = state;
    return setup;
  }

  #prepare(setup: Setup): void {
    setup.state = 'preparing';
    this.#turn.emit({ type: 'prepareSetup', setup: setup.setup, job: setup.job });
  }

  #releaseUnneeded(setup: Setup): void {
    if (setup.isOpen || setup.users > 0) return;
    this.#byId.delete(setup.setup);
    this.#turn.emit({ type: 'releaseSetup', setup: setup.setup });
  }
}
