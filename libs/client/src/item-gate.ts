import type { BlobFile, Block } from '@shoal/pool';

/** What an {@link ItemGate} stands before. */
export interface ItemGateParts {
  readonly push: (block: Block) => void;
  readonly endInput: () => void;
  /** Resolves when the coordinator has a constant. */
  readonly ship: (file: BlobFile) => Promise<void>;
  /** One cannot be had: nothing comes through any more. */
  readonly failed: (error: unknown) => void;
}

/** Holds a job's items back, in their order, while the constants that they refer to are on their way. */
export class ItemGate {
  readonly #parts: ItemGateParts;
  /** Constants asked for, by hash. */
  readonly #shipped = new Set<string>();
  /** Settles when all that waits has gone through; undefined while nothing waits. */
  #passing: Promise<void> | undefined;

  constructor(parts: ItemGateParts) {
    this.#parts = parts;
  }

  push(block: Block): void {
    const missing = (block.broadcasts ?? []).filter(({ sha256 }) => !this.#shipped.has(sha256));
    this.#pass(missing, () => this.#parts.push(block));
  }

  endInput(): void {
    this.#pass([], () => this.#parts.endInput());
  }

  #pass(missing: readonly BlobFile[], go: () => void): void {
    if (missing.length === 0 && this.#passing === undefined) {
      go();
      return;
    }
    for (const { sha256 } of missing) this.#shipped.add(sha256);
    const shipped = [this.#passing, ...missing.map((file) => this.#parts.ship(file))];
    const passing = Promise.all(shipped).then(() => {
      go();
      if (this.#passing === passing) this.#passing = undefined;
    });
    this.#passing = passing;
    passing.catch(this.#parts.failed);
  }
}
