import { encoded } from '../item-block.ts';
import type { Bytes } from '../messages.ts';
import type { JobPlan } from '../scenario.ts';

/** Who hears of what the user gives. */
export interface InputEnd {
  blockPushed(first: number, count: number): void;
  inputEnded(): void;
}

/** The items of a job: made as they are granted, kept in blocks until the coordinator has them for good. */
export class Input {
  readonly #plan: JobPlan;
  readonly #core: InputEnd;
  readonly #blocks = new Map<number, Bytes>();
  #pushed = 0;
  #hasEnded = false;

  constructor(plan: JobPlan, core: InputEnd) {
    this.#plan = plan;
    this.#core = core;
  }

  /** The block that begins with this item. */
  find(first: number): Bytes | undefined {
    return this.#blocks.get(first);
  }

  release(before: number): void {
    for (const first of this.#blocks.keys()) if (first < before) this.#blocks.delete(first);
  }

  /** Items are made as far as they are granted, in blocks that may end beyond it. */
  granted(upTo: number): void {
    const { items, blockItems, name } = this.#plan;
    while (this.#pushed < Math.min(upTo, items)) {
      const first = this.#pushed;
      const count = Math.min(blockItems, items - first);
      this.#blocks.set(first, { first, count, bytes: encoded(name, first, count) });
      this.#pushed += count;
      this.#core.blockPushed(first, count);
    }
    if (this.#pushed === items) this.end();
  }

  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#core.inputEnded();
  }
}
