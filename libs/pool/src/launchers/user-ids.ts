/**
 * Which user serves whom: one for each key, as long as a child of that key lives.
 *
 * One that is free again is taken up last, so that what a child left behind where everybody may write belongs to nobody
 * who runs for as long as can be.
 */
export class UserIds {
  readonly #free: number[];
  readonly #taken: Map<string, { readonly uid: number; children: number }> = new Map();

  constructor(first: number, last: number) {
    this.#free = Array.from({ length: last - first + 1 }, (_, at) => first + at);
  }

  /** The user of a key, for one more child, and whether it is the first one of this key; undefined: all are taken. */
  take(key: string): { readonly uid: number; readonly isNew: boolean } | undefined {
    const known = this.#taken.get(key);
    if (known !== undefined) {
      known.children += 1;
      return { uid: known.uid, isNew: false };
    }
    const uid = this.#free.shift();
    if (uid === undefined) return undefined;
    this.#taken.set(key, { uid, children: 1 });
    return { uid, isNew: true };
  }

  /** A child of this key is gone. Returns its user where it was the last one; {@link free} gives it to others. */
  leave(key: string): number | undefined {
    const known = this.#taken.get(key);
    if (known === undefined) return undefined;
    known.children -= 1;
    if (known.children > 0) return undefined;
    this.#taken.delete(key);
    return known.uid;
  }

  /** Nothing runs as this user any more. */
  free(uid: number): void {
    this.#free.push(uid);
  }
}
