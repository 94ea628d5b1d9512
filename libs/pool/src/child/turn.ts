import { now } from './clock.ts';

/** The event loop gets its turn after this much work, in ms. */
const turnMs = 10;

const { setImmediate } = globalThis;

/** The time that items have until the event loop is to have its turn, so that aborts and further parts arrive. */
export class Turn {
  readonly #work: () => void;
  #isDue = false;
  #startedAt = 0;

  /** `work` is what is done in each turn. */
  constructor(work: () => void) {
    this.#work = work;
  }

  get isOver(): boolean {
    return now() - this.#startedAt > turnMs;
  }

  /** The event loop has just had its turn; now it is the items' again. */
  begin(): void {
    this.#startedAt = now();
    this.#work();
  }

  /** Let the event loop have its turn first. */
  later(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.begin();
    });
  }
}
