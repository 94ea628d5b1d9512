/**
 * The only source of chance in the simulation: a small generator of our own (sfc32), so that a seed means the same on
 * every machine and in every version of Node.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** Equal seeds give equal numbers. `stream` keeps uses apart: one more number here moves none over there. */
  constructor(seed: number, stream: string = '') {
    let hash = 0x811c9dc5;
    for (let at = 0; at < stream.length; at += 1) {
      hash = Math.imul(hash ^ stream.charCodeAt(at), 0x01000193);
    }
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 2 ** 32) >>> 0;
    this.#c = hash >>> 0;
    // The first numbers of neighbouring seeds are alike.
    for (let round = 0; round < 12; round += 1) this.next();
  }

  /** From 0 up to and without 1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  }

  /** A whole number from `least` to `most`, both included. */
  int(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** A number from `least` up to `most`. */
  between(least: number, most: number): number {
    return least + this.next() * (most - least);
  }

  /** Small numbers often, big ones seldom, all sizes equally likely. */
  skewed(least: number, most: number): number {
    return Math.round(least * (most / least) ** this.next());
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(from: readonly [T, ...T[]] | readonly T[]): T {
    return from[Math.floor(this.next() * from.length)] as T;
  }
}
