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

  get(id: AttemptId): Attempt | undefined {
    return this.#pages.get(Math.floor(id / pageSize))?.attempts[id % pageSize];
  }

  /** The attempt of that number, if this agent holds it. */
  heldBy(agent: Agent, id: AttemptId): Attempt | undefined {
    const found = this.get(id);
    return found?.agent === agent ? found : undefined;
  }

  add(attempt: Attempt): void {
    const number = Math.floor(attempt.id / pageSize);
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = this.#spare ?? { attempts: Array.from({ length: pageSize }), size: 0 };
      this.#spare = undefined;
      this.#pages.set(number, page);
    }
    page.attempts[attempt.id % pageSize] = attempt;
    page.size += 1;
  }

  /** Takes an attempt that is in it out. A page goes with its last one. */
  delete({ id }: Attempt): void {
    const number = Math.floor(id / pageSize);
    const page = this.#pages.get(number) as Page;
    page.attempts[id % pageSize] = undefined;
    page.size -= 1;
    if (page.size > 0) return;
    this.#pages.delete(number);
    this.#spare = page;
  }

  /** Every attempt, the oldest page first. */
  *values(): Generator<Attempt> {
    for (const { attempts } of this.#pages.values()) {
      for (const attempt of attempts) if (attempt !== undefined) yield attempt;
    }
  }
}
