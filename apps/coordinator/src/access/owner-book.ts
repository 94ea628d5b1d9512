import type { Identity } from './identity.ts';

/** What an {@link OwnerBook} asks and tells. */
export interface OwnerBookParts<Key> {
  readonly isOver?: (key: Key) => boolean;
  readonly onDropped?: () => void;
}

/** Whose something is: jobs, groups of processes, sessions of agents. Pure, and bounded: of whoever has the most the oldest go. */
export class OwnerBook<Key> {
  readonly #owners = new Map<Key, string>();
  /** The same by owner, each oldest first. Invariant: nobody is in it without a key. */
  readonly #keys = new Map<string, Set<Key>>();
  readonly #entriesMax: number;
  readonly #isOver: (key: Key) => boolean;
  readonly #onDropped: () => void;

  /**
   * Beyond `entriesMax` those go first of which `isOver` says that nobody can ask for them any more, and then those of the
   * owner who has the most, of which `onDropped` hears: whoever claims without end takes nothing from others.
   */
  constructor(entriesMax: number, { isOver = () => false, onDropped = () => {} }: OwnerBookParts<Key> = {}) {
    this.#entriesMax = entriesMax;
    this.#isOver = isOver;
    this.#onDropped = onDropped;
  }

  /** Whoever claims something first owns it. Returns whether it is the caller's. */
  claim(key: Key, { id }: Identity): boolean {
    const owner = this.#owners.get(key);
    if (owner !== undefined) return owner === id;
    if (this.#owners.size >= this.#entriesMax) this.#makeRoom();
    this.#owners.set(key, id);
    const keys = this.#keys.get(id);
    if (keys === undefined) this.#keys.set(id, new Set([key]));
    else keys.add(key);
    return true;
  }

  isOwnedBy(key: Key, { id }: Identity): boolean {
    return this.#owners.get(key) === id;
  }

  /** Its owner's id; undefined for what nobody has claimed. */
  ownerOf(key: Key): string | undefined {
    return this.#owners.get(key);
  }

  #makeRoom(): void {
    for (const key of this.#owners.keys()) if (this.#isOver(key)) this.#forget(key);
    if (this.#owners.size < this.#entriesMax) return;
    let most: Set<Key> = new Set();
    for (const keys of this.#keys.values()) if (keys.size > most.size) most = keys;
    for (const oldest of most) {
      this.#forget(oldest);
      this.#onDropped();
      return;
    }
  }

  #forget(key: Key): void {
    const owner = this.#owners.get(key);
    if (owner === undefined) return;
    this.#owners.delete(key);
    const keys = this.#keys.get(owner);
    keys?.delete(key);
    if (keys?.size === 0) this.#keys.delete(owner);
  }
}
