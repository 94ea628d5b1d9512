import type { ChunkRecord } from './chunk-record.ts';

/** Chunks with items that no child has been given, in the order in which they are given out. */
export class ChunkQueue {
  readonly #chunks: ChunkRecord[] = [];
  /** How many there are of each key. */
  readonly #byKey = new Map<string, number>();

  get size(): number {
    return this.#chunks.length;
  }

  /** All that wait do so for children of one key. */
  get isOfOneKey(): boolean {
    return this.#byKey.size === 1;
  }

  at(place: number): ChunkRecord | undefined {
    return this.#chunks[place];
  }

  /** A new chunk waits behind all others. */
  add(chunk: ChunkRecord): void {
    this.#count(chunk);
    this.#chunks.push(chunk);
  }

  /** A chunk that was begun goes on before others begin. */
  putBack(chunk: ChunkRecord): void {
    this.#count(chunk);
    this.#chunks.unshift(chunk);
  }

  /** Whether a chunk waits for children of this key. */
  wants(key: string): boolean {
    return this.#byKey.has(key);
  }

  remove(chunk: ChunkRecord): void {
    if (!chunk.isQueued) return;
    chunk.isQueued = false;
    this.#chunks.splice(this.#chunks.indexOf(chunk), 1);
    const { key } = chunk.spec;
    const others = (this.#byKey.get(key) ?? 0) - 1;
    if (others > 0) this.#byKey.set(key, others);
    else this.#byKey.delete(key);
  }

  #count(chunk: ChunkRecord): void {
    const { key } = chunk.spec;
    chunk.isQueued = true;
    this.#byKey.set(key, (this.#byKey.get(key) ?? 0) + 1);
  }
}
