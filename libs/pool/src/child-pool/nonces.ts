import { nonceBytes } from '../frames.ts';
import { randomBytes } from '../random-bytes.ts';

/** The kernel is asked for up to so many at a time: three system calls for each child are a part of what a short life costs. */
const drawnMax = 256;

/** Numbers that nobody can guess, each given out once. */
export class Nonces {
  #stock: Uint8Array = new Uint8Array(0);
  #given = 0;
  readonly #draw: (count: number) => Uint8Array;

  constructor(draw: (count: number) => Uint8Array = randomBytes) {
    this.#draw = draw;
  }

  next(): Uint8Array {
    if (this.#given === this.#stock.length) {
      // A pool of few children draws few.
      this.#stock = this.#draw(Math.min(Math.max(nonceBytes, 2 * this.#stock.length), drawnMax * nonceBytes));
      this.#given = 0;
    }
    const from = this.#given;
    this.#given += nonceBytes;
    return this.#stock.subarray(from, this.#given);
  }
}
