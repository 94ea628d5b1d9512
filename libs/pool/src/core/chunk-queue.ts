import type { ChunkRecord } from './chunk-record.ts';

/** Chunks with items that no child has been given, in the order in which they are given out. */
export class ChunkQueue {
  readonly #chunks: ChunkRecord[] = [];

  get size(): number {
    return this.#chunks.length;
  }

  at(place: number): ChunkRecord | undefined {
    return this.#chunks[place];
  }

  /** A new chunk waits behind all others. */
  add(chunk: ChunkRecord): void {
    chunk.isQueued = true;
    this.#chunks.push(chunk);
  }

  /** A chunk that was begun goes on before others begin. */
  putBack(chunk: ChunkRecord): void {
    chunk.isQueued = true;
    this.#chunks.unshift(chunk);
  }

  /** Whether a chunk waits for children of this key. */
  wants(key: string): boolean {
    return this.#chunks.some((chunk) => chunk.spec.key === key);
  }

  remove(chunk: ChunkRecord): void {
    if (!chunk.isQueued) return;
    chunk.isQueued = false;
    this.#chunks.splice(this.#chunks.indexOf(chunk), 1);
  }
}
