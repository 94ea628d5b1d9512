import type { PushedBlock } from './client-calls.ts';

/** The block that a call has reported to the core and that is not kept yet: the core says whether and when it is. */
export class ReportedBlock {
  #block: PushedBlock | undefined;

  get isWaiting(): boolean {
    return this.#block !== undefined;
  }

  /** It has come, and the core is told next. */
  report(block: PushedBlock): void {
    this.#block = block;
  }

  /** The core keeps it. Throws where none has come. */
  take(): PushedBlock {
    const block = this.#block;
    if (block === undefined) throw new Error('a block is kept that did not come');
    this.#block = undefined;
    return block;
  }

  /** Nobody wants it any more. */
  drop(): void {
    this.#block = undefined;
  }
}
