const fields = [
  'attempt',
  'session',
  'first',
  'count',
  'index',
  'position',
  'sequence',
  'chunk',
  'call',
] as const;

/** Two worlds that are equal have seen equal events at equal times; so does their hash say (64 bits, FNV-like). */
export class EventHash {
  #low = 0x811c9dc5;
  #high = 0x1b873593;
  readonly #words = new Map<string, number>();

  add(atMs: number, who: string, type: string, event: object): void {
    this.#mix(Math.round(atMs * 1_000));
    this.#mix(this.#wordOf(who));
    this.#mix(this.#wordOf(type));
    for (const field of fields) {
      const value = (event as Readonly<Record<string, unknown>>)[field];
      if (typeof value === 'number') this.#mix(value);
    }
  }

  get text(): string {
    const hex = (part: number): string => (part >>> 0).toString(16).padStart(8, '0');
    return hex(this.#high) + hex(this.#low);
  }

  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193) ^ (this.#high >>> 15);
    this.#high = Math.imul(this.#high ^ (value / 2 ** 20), 0x85ebca6b) ^ this.#low;
  }

  #wordOf(text: string): number {
    let word = this.#words.get(text);
    if (word === undefined) {
      word = 0;
      for (let at = 0; at < text.length; at += 1)
        word = Math.imul(word ^ text.charCodeAt(at), 0x5bd1e995) + 1;
      this.#words.set(text, word);
    }
    return word;
  }
}
