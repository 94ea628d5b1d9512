import type { Agent } from '../fleet/agent.ts';
import type { AttemptId } from '../identity.ts';
import type { Attempt } from './attempt.ts';

/** Numbers of a page. */
const pageSize = 256;

interface Page {
  readonly attempts: Array<Attempt | undefined>;
  size: number;
}

/**
 * Attempts by their number.
 *
 * Numbers rise by one, and attempts end nearly in the order in which they began: in pages of consecutive numbers those
 * that are looked up one after the other lie beside each other, which a hash table of 40,000 would strew over a megabyte.
 */
export class AttemptTable {
  readonly #pages: Map<number, Page> = new Map();
  /** The last page that became empty. */
  #spare: Page | undefined;
  /** The page that was looked into last, and the newest one: the next number is in one of them nearly always. */
  #lastNumber = -1;
  #last: Page | undefined;
  #newestNumber = -1;
  #newest: Page | undefined;

  get(id: AttemptId): Attempt | undefined {
    return this.#pageOf(Math.floor(id / pageSize))?.attempts[id % pageSize];
  }

  /** The attempt of that number, if this agent holds it. */
  heldBy(agent: Agent, id: AttemptId): Attempt | undefined {
    const found = this.get(id);
    return found?.agent === agent ? found : undefined;
  }

  add(attempt: Attempt): void {
    const number = Math.floor(attempt.id / pageSize);
    const page = this.#newestNumber === number ? (this.#newest as Page) : this.#open(number);
    page.attempts[attempt.id % pageSize] = attempt;
    page.size += 1;
  }

  /** Takes an attempt that is in it out. A page goes with its last one. */
  delete({ id }: Attempt): void {
    const number = Math.floor(id / pageSize);
    const page = this.#pageOf(number) as Page;
    page.attempts[id % pageSize] = undefined;
    page.size -= 1;
    // The newest one is about to get the next attempt.
    if (page.size === 0 && page !== this.#newest) this.#close(number, page);
  }

  #pageOf(number: number): Page | undefined {
    if (number === this.#lastNumber) return this.#last;
    const page = this.#pages.get(number);
    this.#lastNumber = number;
    this.#last = page;
    return page;
  }

  /** The page of a number that is higher than all before. */
  #open(number: number): Page {
    if (this.#newest?.size === 0) this.#close(this.#newestNumber, this.#newest);
    const page = this.#spare ?? { attempts: Array.from({ length: pageSize }), size: 0 };
    this.#spare = undefined;
    this.#pages.set(number, page);
    this.#newestNumber = number;
    this.#newest = page;
    // It may have been looked for before it was there.
    this.#forgetLast();
    return page;
  }

  #close(number: number, page: Page): void {
    this.#pages.delete(number);
    this.#forgetLast();
    this.#spare = page;
  }

  #forgetLast(): void {
    this.#lastNumber = -1;
    this.#last = undefined;
  }

  /** Every attempt, the oldest page first. */
  *values(): Generator<Attempt> {
    for (const { attempts } of this.#pages.values()) {
      for (const attempt of attempts) if (attempt !== undefined) yield attempt;
    }
  }
}
