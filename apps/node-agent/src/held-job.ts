import type { BlobFile, Block } from '@shoal/pool';
import type { JobSetup, Block as WireBlock } from '@shoal/protocol';

/** A job of which this agent has, or will get, work: how to run it and the items that came so far. */
export class HeldJob {
  readonly setup: JobSetup;
  /** In order of their first items. A block keeps its identity, so that a child is sent it once. */
  readonly #blocks: Block[] = [];
  #parts: WireBlock[] = [];
  readonly #fileOf: (sha256: string) => BlobFile;

  /** `fileOf` says where a constant will lie when it is here. */
  constructor(setup: JobSetup, fileOf: (sha256: string) => BlobFile) {
    this.setup = setup;
    this.#fileOf = fileOf;
  }

  /** Takes a block in, or a part of one. */
  add(part: WireBlock): void {
    const { first, count, more } = part;
    this.#parts.push(part);
    if (more) return;
    const payloads = this.#parts.map(({ payload }) => payload);
    const bytes = payloads.length === 1 ? part.payload : Buffer.concat(payloads);
    const hashes = this.#parts.flatMap(({ broadcastSha256 }) => broadcastSha256);
    this.#parts = [];
    const broadcasts = hashes.length === 0 ? {} : { broadcasts: hashes.map(this.#fileOf) };
    this.#insert({ first, count, bytes, ...broadcasts });
  }

  /** The blocks that hold these items, in order; undefined when one is missing. */
  blocksFor(first: number, count: number): Block[] | undefined {
    const found: Block[] = [];
    let next = first;
    for (let at = this.#firstEndingAfter(first); next < first + count; at += 1) {
      const block = this.#blocks[at];
      if (block === undefined || block.first > next) return undefined;
      found.push(block);
      next = block.first + block.count;
    }
    return found;
  }

  /** Drops every block whose items are all below this index. */
  forgetBefore(index: number): void {
    this.#blocks.splice(0, this.#firstEndingAfter(index));
  }

  /** Blocks come in order, but for those of items that are tried again. */
  #insert(block: Block): void {
    const at = this.#firstEndingAfter(block.first);
    this.#blocks.splice(at, this.#blocks[at]?.first === block.first ? 1 : 0, block);
  }

  /** The position of the first block that ends after this item, by halving. */
  #firstEndingAfter(item: number): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { first, count } = this.#blocks[middle] as Block;
      if (first + count <= item) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
