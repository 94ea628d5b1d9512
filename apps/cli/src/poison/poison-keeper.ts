import type { ItemError } from '@shoal/errors';
import type { Settled } from '@shoal/pool';
import type { TaskSpec } from '../map/task-spec.ts';
import { moduleDigest, writePoison } from './poison-file.ts';

/** What a keeper has to know of its job. */
export interface PoisonKeeperOptions {
  readonly folder: string;
  readonly task: TaskSpec;
  readonly timeoutMs: number | undefined;
  /** Told where an item was saved, or why it was not. */
  readonly say: (text: string) => void;
}

/**
 * Saves the items that killed their process or ran too long.
 *
 * It remembers each item from the moment it is pulled to its outcome: as many as the job's window holds.
 */
export class PoisonKeeper {
  readonly #options: PoisonKeeperOptions;
  readonly #items: Map<number, unknown> = new Map();
  /** The module as it was when the job began. */
  readonly #moduleSha256: string | undefined;
  #pulled = 0;

  constructor(options: PoisonKeeperOptions) {
    this.#options = options;
    this.#moduleSha256 = moduleDigest(options.task.url);
  }

  /** How many items it remembers. */
  get size(): number {
    return this.#items.size;
  }

  /** The items, remembered as they go by. */
  async *remember(items: Iterable<unknown> | AsyncIterable<unknown>): AsyncGenerator<unknown, void> {
    for await (const item of items) {
      this.#items.set(this.#pulled++, item);
      yield item;
    }
  }

  /** The results; an item that failed is thrown as its error, after it was saved if it is poison. */
  watch(outcomes: AsyncIterator<Settled<unknown>, undefined>): AsyncIterator<unknown, undefined> {
    return {
      next: async () => {
        const next = await outcomes.next();
        if (next.done === true) return next;
        const outcome = next.value;
        const item = this.#items.get(outcome.index);
        this.#items.delete(outcome.index);
        if (outcome.status === 'fulfilled') return { done: false, value: outcome.value };
        await this.#save(outcome.error, item);
        throw outcome.error;
      },
    };
  }

  async #save(error: ItemError, item: unknown): Promise<void> {
    const { code, index, message, attempts, stderrTail } = error;
    if (code !== 'ITEM_KILLED_CHILD' && code !== 'ITEM_TIMED_OUT') return;
    const { folder, task, timeoutMs, say } = this.#options;
    const failure = { code, message, attempts, stderrTail };
    try {
      const poison = { index, item, task, moduleSha256: this.#moduleSha256, timeoutMs, failure };
      const path = await writePoison(folder, poison);
      say(`shoal: item ${index} is saved: shoal replay ${path}`);
    } catch (reason) {
      // A full disk must not end the job that found the poison.
      say(`shoal: item ${index} was not saved: ${reason instanceof Error ? reason.message : String(reason)}`);
    }
  }
}
