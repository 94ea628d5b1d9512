import type { Block } from '@shoal/pool';
import type { JobSetup, Block as WireBlock } from '@shoal/protocol';

/** A job of which this agent has, or will get, work: how to run it and the items that came so far. */
export class HeldJob {
  readonly setup: JobSetup;
  /** By first item. A block keeps its identity, so that a child is sent it once. */
  readonly #blocks = new Map<number, Block>();
  #parts: WireBlock[] = [];

  constructor(setup: JobSetup) {
    this.setup = setup;
  }

  /** Takes a block in, or a part of one. */
  add(part: WireBlock): void {
    const { first, count, more } = part;
    if (this.#parts.length === 0 && !more) {
      this.#blocks.set(first, { first, count, bytes: part.payload });
      return;
    }
    this.#parts.push(part);
    if (more) return;
    const bytes = Buffer.concat(this.#parts.map(({ payload }) => payload));
    this.#parts = [];
    this.#blocks.set(first, { first, count, bytes });
  }

  /** The blocks that hold these items, in order; undefined when one is missing. */
  blocksFor(first: number, count: number): Block[] | undefined {
    const found = [...this.#blocks.values()]
      .filter((block) => block.first < first + count && block.first + block.count > first)
      .sort((a, b) => a.first - b.first);
    let next = first;
    for (const block of found) {
      if (block.first > next) return undefined;
      next = block.first + block.count;
    }
    return next >= first + count ? found : undefined;
  }

  /** Drops every block whose items are all below this index. */
  forgetBefore(index: number): void {
    for (const [first, { count }] of this.#blocks) {
      if (first + count <= index) this.#blocks.delete(first);
    }
  }
}
